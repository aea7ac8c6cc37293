/** `gatehouse doctor --login`: logs in as one client, with the person at this terminal in the browser. */
import type { Finding } from '../doctor/finding.ts'
import { explainIdentity, findLoginWay, findOtherWay } from '../doctor/login/identity.ts'
import { findLoginFaults } from '../doctor/login/login-faults.ts'
import { type LoginClient, type LoginVisit, listLoginSteps } from '../doctor/login/login-visit.ts'
import { ownClient, planLogin, toLoginClient } from '../doctor/login/plan-login.ts'
import { describeAnswer } from '../doctor/login/read-answers.ts'
import { walkLogin } from '../doctor/login.ts'
import type { SharedVisit } from '../doctor/visit.ts'
import { systemClock } from '../platform/clock.ts'
import { systemRandom } from '../platform/crypto.ts'
import type { Send } from '../platform/probe.ts'
import type { ClientProfile } from '../profiles/profile.ts'
import { startCallbackListener } from './doctor-callback.ts'
import { exitUsage, toFailure } from './failure.ts'
import { openPage } from './open-page.ts'
import { printAside, renderTable } from './output.ts'
import { readSecretLine } from './password.ts'

/** Options of a login. */
export interface LoginOptions {
  login?: boolean
  /** False with `--no-register`. */
  register: boolean
  clientId?: string
  clientSecretStdin?: boolean
  /** How long the person may take, in seconds. Default 300. */
  wait?: string
  /** False with `--no-browser`: the address is only printed. */
  browser: boolean
  /** No progress; the address is printed all the same. */
  json?: boolean
}

/** A login that can begin. */
export interface LoginWish {
  readonly client: LoginClient
  readonly seconds: number
  readonly opensBrowser: boolean
  readonly isSilent: boolean
}

/** What a login came to. */
export type LoginResult =
  | { readonly visit: LoginVisit; readonly findings: readonly Finding[] }
  /** Why there was none. */
  | { readonly problem: string }

const defaultWaitSeconds = 300
const longestWaitSeconds = 86_400

/**
 * What is needed for a login, asked for before the visit; undefined when there is to be none.
 *
 * @param profiles those of `--as`: the first that receives on loopback logs in. Empty: the doctor's own client
 * @throws Failure when none of the clients asked for receives on loopback, the time is no number, or an option
 *   of a login comes without it
 */
export async function prepareLogin(
  options: LoginOptions,
  profiles: readonly ClientProfile[],
): Promise<LoginWish | undefined> {
  if (options.login !== true) return refuseStray(options)
  const { clientId, clientSecretStdin } = options
  if (clientSecretStdin && clientId === undefined)
    throw toFailure('--client-secret-stdin goes with --client-id', exitUsage)
  if (!options.register && clientId === undefined)
    throw toFailure(
      'A login registers a client: leave --no-register out, or name one that is known there with --client-id',
      exitUsage,
    )
  const seconds = parseWait(options.wait)
  const client = chooseClient(profiles)
  const clientSecret = clientSecretStdin ? await readSecretLine() : undefined
  return {
    client: { ...client, clientId, clientSecret },
    seconds,
    opensBrowser: options.browser,
    isSilent: options.json === true,
  }
}

/** Options that say how to log in and do nothing without a login: a typing error mostly. */
function refuseStray({ wait, browser, clientId, clientSecretStdin }: LoginOptions): undefined {
  const given = {
    '--wait': wait !== undefined,
    '--no-browser': !browser,
    '--client-id': clientId !== undefined,
    '--client-secret-stdin': clientSecretStdin === true,
  }
  const [stray] = Object.entries(given).filter(([, isGiven]) => isGiven)
  if (stray !== undefined) throw toFailure(`${stray[0]} goes with --login`, exitUsage)
  return undefined
}

/** Logs in where a visit has been. Ctrl-C ends the waiting; what was made is removed first. */
export async function logIn(
  shared: SharedVisit,
  send: Send,
  wish: LoginWish,
): Promise<LoginResult> {
  const planned = planLogin(shared, wish.client)
  if ('problem' in planned) return planned
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const listener = await startCallbackListener({ seconds: wish.seconds, signal: stop.signal })
  try {
    const visit = await walkLogin(planned.plan, {
      send,
      callbackPort: listener.port,
      openPage: (url) => invite(url, wish.opensBrowser),
      waitForCallback: listener.wait,
      onStep: (name) => {
        if (!wish.isSilent) printAside(`  ${name}`)
      },
      random: systemRandom,
      now: systemClock.now,
      signal: stop.signal,
    })
    return { visit, findings: findLoginFaults(visit) }
  } finally {
    process.off('SIGINT', onInterrupt)
    await listener.close()
  }
}

function parseWait(text: string | undefined): number {
  if (text === undefined) return defaultWaitSeconds
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= longestWaitSeconds) return seconds
  throw toFailure(`--wait takes 1 to ${longestWaitSeconds} seconds, not ${text}`, exitUsage)
}

function chooseClient(profiles: readonly ClientProfile[]): LoginClient {
  const [client] = profiles.flatMap((profile) => toLoginClient(profile) ?? [])
  if (client !== undefined || profiles.length === 0) return client ?? ownClient
  const names = profiles.map(({ name }) => name).join(', ')
  throw toFailure(
    `The doctor cannot log in as ${names}: none of them receives on this machine. Name one that does, such as claude-code, or leave --as out`,
    exitUsage,
  )
}

/** The address is always printed: the browser that opens may not be the one that the person uses. */
function invite(url: string, opensBrowser: boolean): void {
  const isOpened = opensBrowser && openPage(url)
  const what = isOpened ? 'Your browser opens this address; if not, open it:' : 'Open this address:'
  printAside('', `  ${what}`, '', `  ${url}`, '')
}

/** The steps of a login as lines: what was done, and what came of it. */
export function renderLogin(result: LoginResult): string[] {
  if ('problem' in result) return ['', `No login: ${result.problem}`]
  const { visit } = result
  const rows = listLoginSteps(visit).map(({ name, observation }) => [
    `  ${name}`,
    describeAnswer(observation),
  ])
  const { toolCount } = visit.use ?? {}
  const tools = toolCount === undefined ? [] : [['  Tools', String(toolCount)]]
  const { plan } = visit
  const table = renderTable([...rows, ...tools])
  return ['', `Login as ${plan.client.name}`, table, `  ${explainIdentity(plan)}`]
}

/** A login for programs. */
export function toLoginJson(result: LoginResult): Record<string, unknown> {
  if ('problem' in result) return { problem: result.problem }
  const { plan, requests, ended, use } = result.visit
  return {
    client: plan.client.id,
    identification: findLoginWay(plan),
    usual_identification: findOtherWay(plan)?.kind,
    requests,
    ended,
    tools: use?.toolCount,
    steps: listLoginSteps(result.visit).map(({ name, observation }) => ({
      name,
      request: observation.request,
      status: observation.response?.status,
      failure: observation.failure,
      milliseconds: observation.milliseconds,
    })),
  }
}

/**
 * Makes sure that a login that was asked for came to its end.
 *
 * @throws Failure when it did not
 */
export function verifyFinished(result: LoginResult): void {
  if ('problem' in result) throw toFailure(`No login: ${result.problem}`)
  const { ended, callback } = result.visit
  if (ended === 'timed-out') throw toFailure('The login was not finished in time')
  if (ended === 'interrupted') throw toFailure('The login was interrupted')
  if (callback?.error !== undefined) throw toFailure(`The login ended with ${callback.error}`)
}
