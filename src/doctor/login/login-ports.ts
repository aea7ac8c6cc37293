/** One login under way, and what it needs of the outside. */
import type { Random } from '../../platform/crypto.ts'
import type { Send } from '../../platform/probe.ts'
import { maskText, parseJson } from '../masking.ts'
import type { Observation, SentRequest } from '../observation.ts'
import type { IdentifiedClient } from './login-requests.ts'
import type { LoginPlan } from './login-visit.ts'
import { readText } from './read-answers.ts'
import type { SecretNames } from './secret-names.ts'

/** What a login needs of the outside. */
export interface LoginPorts {
  /** Sends one request and tells what came with nothing masked: the tokens are needed to go on. */
  readonly send: Send
  /** Port of the listener on 127.0.0.1 that waits for the browser to come back. */
  readonly callbackPort: number
  /** Shows the person the page at which they sign in and allow. */
  readonly openPage: (url: string) => void
  /** The first address that the browser comes back to; or why none came. */
  readonly waitForCallback: (path: string) => Promise<URL | 'timed-out' | 'interrupted'>
  /** Told of each step as it begins. */
  readonly onStep: (name: string) => void
  readonly random: Random
  /** Unix seconds. */
  readonly now: () => number
  /** Aborted when the person wants no more: then only the cleaning up is done. */
  readonly signal: AbortSignal
}

/** One login under way. */
export interface Login {
  readonly plan: LoginPlan
  readonly ports: LoginPorts
  readonly secrets: SecretNames
  readonly client: IdentifiedClient
  /** Sends a request of a step, which is announced. */
  readonly send: (step: string, request: SentRequest) => Promise<Observation>
}

/** An observation as it came, secrets and all; what is kept of it is masked when the login is over. */
export async function observeOpenly(send: Send, request: SentRequest): Promise<Observation> {
  const { answer, failure, milliseconds } = await send(request)
  if (answer === undefined) return { request, ...(failure && { failure }), milliseconds }
  return { request, response: { ...answer, json: parseJson(answer.body) }, milliseconds }
}

/** Members that are secret, and what their values are called. */
const secretMembers: Readonly<Record<string, string>> = {
  registration_access_token: 'registration token',
  client_secret: 'client secret',
  access_token: 'access token',
  refresh_token: 'refresh token',
  id_token: 'id token',
}

/** Secrets of one kind in one answer. A server that sends thousands wants to keep us busy. */
const secretsOfAKind = 5

/** Takes the secrets of an answer down, also where it is a form or something that nobody asked for. */
export function nameSecrets(answer: Observation, secrets: SecretNames): void {
  for (const [member, label] of Object.entries(secretMembers)) {
    secrets.name(label, readText(answer, member))
    const written = new RegExp(`${member}["']?\\s*[=:]\\s*["']?([^&\\s"'<,}]+)`, 'g')
    const found = [...(answer.response?.body ?? '').matchAll(written)]
    for (const [, text] of found.slice(0, secretsOfAKind)) secrets.name(label, text)
  }
}

/** The same for an address that the browser came back to: some servers add what nobody asked for. */
export function nameParameters(parameters: URLSearchParams, secrets: SecretNames): void {
  for (const [member, label] of Object.entries(secretMembers))
    secrets.name(label, parameters.get(member))
}

/** Takes down what a person keeps secret in an address: by the names of its parameters. */
export function nameKeys(url: string, secrets: SecretNames): void {
  for (const [name, value] of new URL(url).searchParams) {
    const text = `${name}=${value}`
    if (maskText(text) !== text) secrets.name('key', value)
  }
}
