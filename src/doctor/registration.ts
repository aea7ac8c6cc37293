/** Registering a client at the server that is visited, and taking the registration away again. */
import type { ProbeRequest, Send } from '../platform/probe.ts'
import { isObject, parseWebUrl, readText } from './documents.ts'
import { parseJson } from './masking.ts'
import type { Observation } from './observation.ts'
import { toObservation } from './observe.ts'

/** What a registration came to, with its secrets: kept for as long as they are needed and never shown. */
export interface Registered {
  readonly registration: Observation
  readonly clientId?: string
  readonly clientSecret?: string
  /** How the server says that the client is to authenticate. */
  readonly authMethod?: string
  /** Where and with what it can be removed (RFC 7592 §3). */
  readonly management?: Management
}

/** Where a registration is managed. */
export interface Management {
  readonly url: string
  readonly token: string
}

/** Registers (RFC 7591 §3). */
export async function registerClient(
  endpoint: string,
  body: Readonly<Record<string, unknown>>,
  send: Send,
): Promise<Registered> {
  const request = {
    method: 'POST',
    url: endpoint,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }
  const result = await send(request)
  const registration = toObservation(request, result)
  const { status = 0, body: text = '' } = result.answer ?? {}
  const answer = parseJson(text)
  if (status < 200 || status > 299 || !isObject(answer)) return { registration }
  const clientId = readText(answer, 'client_id')
  const clientSecret = readText(answer, 'client_secret')
  const authMethod = readText(answer, 'token_endpoint_auth_method')
  const management = findManagement(endpoint, answer)
  return {
    registration,
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(authMethod === undefined ? {} : { authMethod }),
    ...(management === undefined ? {} : { management }),
  }
}

/** Only at the origin that gave the token: it is sent nowhere else. */
function findManagement(
  endpoint: string,
  answer: Readonly<Record<string, unknown>>,
): Management | undefined {
  const url = parseWebUrl(readText(answer, 'registration_client_uri'))
  const token = readText(answer, 'registration_access_token')
  if (url === undefined || token === undefined) return undefined
  return url.origin === new URL(endpoint).origin ? { url: url.href, token } : undefined
}

/** Removes a registration (RFC 7592 §2.3). */
export async function removeRegistration(
  { url, token }: Management,
  send: Send,
): Promise<Observation> {
  const request: ProbeRequest = {
    method: 'DELETE',
    url,
    headers: { authorization: `Bearer ${token}` },
  }
  return toObservation(request, await send(request))
}
