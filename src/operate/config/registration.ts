/** How clients come to an id, as it is configured: the schema, what contradicts it, and the live options. */
import { z } from 'zod'
import { isEndpoint } from '../../identity/provider-fetch.ts'
import type { RegistrationOptions } from '../../options.ts'

const text = z.string().min(1, 'must not be empty')
const list = z.array(text)

/** The schema of `registration`. */
export function createRegistrationSchema(secret: z.ZodType<string>) {
  return z.strictObject({
    mode: z.enum(['dynamic', 'static', 'verify', 'management']).default('dynamic'),
    static: z.strictObject({ clientId: clientId() }).optional(),
    verify: z
      .strictObject({
        issuer: text.refine(isEndpoint, 'must be the https: URL that the tokens name'),
        audience: text.optional(),
        algorithms: list.min(1).optional(),
        requiredScopes: list.optional(),
      })
      .optional(),
    auth0: z.strictObject({ domain: domain(), clientId: text, clientSecret: secret }).optional(),
  })
}

/** `registration` as it was configured. */
export type RegistrationSettings = z.output<ReturnType<typeof createRegistrationSchema>>

function clientId() {
  return z.string().regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be the id of a client of yours')
}

function domain() {
  const isDomain = (value: string): boolean =>
    /^[A-Za-z0-9.-]+$/.test(value) || (value.includes('://') && isEndpoint(value))
  return text.refine(isDomain, 'must be the domain of the tenant, such as example.eu.auth0.com')
}

/** The block that each mode needs. */
const blocks = { static: 'static', verify: 'verify', management: 'auth0' } as const

/** What is missing for the mode, in words; undefined when nothing is. */
export function findRegistrationProblem(
  settings: RegistrationSettings | undefined,
): string | undefined {
  if (settings === undefined || settings.mode === 'dynamic') return undefined
  const block = blocks[settings.mode]
  if (settings[block] !== undefined) return undefined
  return `has mode ${settings.mode} and no ${block}; see docs/guides/registration-modes.md`
}

/** The live options. The Management API is loaded only where it is used. */
export async function toRegistrationOptions(
  settings: RegistrationSettings | undefined,
): Promise<RegistrationOptions> {
  const { mode = 'dynamic', static: fixed, verify, auth0 } = settings ?? {}
  if (mode === 'static' && fixed) return { mode, ...fixed }
  if (mode === 'verify' && verify) return { mode, ...verify }
  if (mode === 'management' && auth0) {
    const { auth0Management } = await import('../../identity/auth0-management.ts')
    return { mode, applications: auth0Management(auth0) }
  }
  return { mode: 'dynamic' }
}
