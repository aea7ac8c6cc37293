/** What providers answer at their token endpoint, brought to what RFC 6749 §5 says. */
import type { Clock } from '../platform/clock.ts'
import type { UpstreamTokens } from './upstream.ts'

/** A provider's own error names and what they stand for. */
export type ErrorNames = Readonly<Record<string, string>> | undefined

/** Longer lifetimes than ten years are mistakes. */
const longestLifetimeSeconds = 10 * 365 * 86_400

/**
 * The same answer without the habits that a strict client stumbles over: an error sent as 200 becomes
 * a 400, the provider's own error names become the standard ones, members that are null or an
 * unusable `expires_in` are left out (catalogue UP-13, UP-14). Anything but a JSON object stays as it is.
 */
export async function toStandardTokenResponse(
  response: Response,
  errorNames: ErrorNames,
): Promise<Response> {
  const text = await response.text()
  const { status, headers } = response
  const answer = parseObject(text)
  if (!answer) return new Response(text === '' ? null : text, { status, headers })
  const body = Object.fromEntries(
    Object.entries(answer).filter(
      ([name, value]) => value !== null && (name !== 'expires_in' || isLifetime(value)),
    ),
  )
  if (typeof body.error !== 'string') return Response.json(body, { status })
  const error = toStandardErrorName(errorNames, body.error)
  return Response.json({ ...body, error }, { status: response.ok ? 400 : status })
}

/** The RFC 6749 name of an error that the provider may call something else. */
export function toStandardErrorName(errorNames: ErrorNames, name: string): string {
  return errorNames && Object.hasOwn(errorNames, name) ? (errorNames[name] ?? name) : name
}

/** A token endpoint's answer after a library parsed it. */
export interface TokenAnswer {
  readonly access_token: string
  readonly refresh_token?: string | undefined
  readonly expires_in?: number | undefined
  readonly [member: string]: unknown
}

/** How providers call the lifetime of the refresh token: GitHub and Google, then Keycloak. */
const refreshLifetimeNames = ['refresh_token_expires_in', 'refresh_expires_in']

/** The tokens of an answer. A lifetime that is missing or nonsense counts as unknown (UP-14). */
export function toUpstreamTokens(answer: TokenAnswer, clock: Clock): UpstreamTokens {
  const { access_token: accessToken, refresh_token: refreshToken } = answer
  const expiresAt = toExpiresAt(answer.expires_in, clock)
  if (refreshToken === undefined) {
    return { accessToken, ...(expiresAt !== undefined && { expiresAt }) }
  }
  const refreshLifetime = refreshLifetimeNames.map((name) => answer[name]).find(isLifetime)
  const refreshExpiresAt = toExpiresAt(refreshLifetime, clock)
  return {
    accessToken,
    refreshToken,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(refreshExpiresAt !== undefined && { refreshExpiresAt }),
  }
}

/** When a token ends, in unix seconds; undefined when the provider did not say or said nonsense. */
function toExpiresAt(expiresIn: number | undefined, clock: Clock): number | undefined {
  return isLifetime(expiresIn) ? clock.now() + Math.floor(expiresIn) : undefined
}

function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= longestLifetimeSeconds
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
