/** Reading what a server answered, whatever it is. */
import { isObject, type JsonObject } from '../documents.ts'
import { parseJson } from '../masking.ts'
import type { Observation } from '../observation.ts'
import type { TokenClaims } from './login-visit.ts'

/** The answer as an object; empty when it is none. */
export function readFields(observation: Observation | undefined): JsonObject {
  const json = observation?.response?.json
  return isObject(json) ? json : {}
}

/** A member that is a text with something in it. */
export function readText(observation: Observation | undefined, member: string): string | undefined {
  const value = readFields(observation)[member]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Whether the answer is a success. */
export function isSuccess(observation: Observation | undefined): boolean {
  const status = observation?.response?.status ?? 0
  return status >= 200 && status < 300
}

/** Whether a token answer gave an access token. */
export function hasToken(observation: Observation | undefined): boolean {
  return isSuccess(observation) && readText(observation, 'access_token') !== undefined
}

/** What an answer was, in words: `400 invalid_grant`, `no answer (timeout)`. */
export function describeAnswer({ response, failure }: Observation): string {
  if (response === undefined) return `no answer (${failure?.detail ?? 'unknown'})`
  const error = readText({ request: emptyRequest, response, milliseconds: 0 }, 'error')
  return error === undefined ? String(response.status) : `${response.status} ${error.slice(0, 80)}`
}

const emptyRequest = { method: '', url: '', headers: {} }

/** The claims of a JWT, not verified; undefined for any other token. */
export function readClaims(token: string): TokenClaims | undefined {
  const [head = '', body = '', signature] = token.split('.')
  if (signature === undefined) return undefined
  const header = parseObject(Buffer.from(head, 'base64url').toString())
  const claims = parseObject(Buffer.from(body, 'base64url').toString())
  if (header === undefined || claims === undefined) return undefined
  const { iss, aud, exp, nbf, iat, scope } = claims
  return { iss, aud, exp, nbf, iat, scope, typ: header['typ'] }
}

/** The JSON-RPC answer in a body: JSON, or the last message with an id of an event stream. */
export function readRpc(observation: Observation): JsonObject | undefined {
  const { response } = observation
  if (response === undefined) return undefined
  const events = response.body.split(/\r?\n\r?\n/).map(readEventData)
  const objects = [response.json, ...events.map(parseObject)].filter(isObject)
  return objects.find((one) => 'result' in one || 'error' in one)
}

/** The data of one event, its lines joined. */
function readEventData(event: string): string {
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'))
  return lines.map((line) => line.slice('data:'.length).trimStart()).join('\n')
}

function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return isObject(value) ? value : undefined
}
