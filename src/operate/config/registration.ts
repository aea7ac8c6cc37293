/** How clients come to an id, as it is configured: the schema, what contradicts it, and the live options. */
import { z } from 'zod'
import { isEndpoint } from '../../identity/provider-fetch.ts'
import { isDocumentClientId } from '../../oauth/document-client-id.ts'
import type { RegistrationOptions } from '../../options.ts'
import { chatgpt } from '../../profiles/clients/chatgpt.ts'
import type { Given, SettingPath } from './layers.ts'
import type { Problem } from './problems.ts'

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

/** The schema of `clientMetadataDocuments`. */
export const documentRule = z.union(
  [
    z.boolean(),
    z.strictObject({
      hosts: z
        .array(
          z
            .string()
            .refine(
              (host) => isDocumentClientId(`https://${host}/client`),
              'must be a host such as claude.ai',
            ),
        )
        .min(1),
    }),
  ],
  'must be true, false, or { hosts: [claude.ai, …] }',
)

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
const modes = ['static', 'verify', 'management'] as const

/** What a mode takes for granted elsewhere in the configuration. */
export interface RegistrationSurroundings {
  readonly dynamicRegistration: boolean | undefined
  /** `clientMetadataDocuments` as it was configured. */
  readonly documents: z.output<typeof documentRule> | undefined
  /** Ids of the configured providers. */
  readonly providers: readonly { readonly id: string; readonly type: string }[]
}

/** What contradicts the mode, each continuing a sentence that its setting begins. */
export function findRegistrationProblems(
  settings: RegistrationSettings | undefined,
  { dynamicRegistration, documents, providers }: RegistrationSurroundings,
): { path: SettingPath; problem: string }[] {
  if (settings === undefined) return []
  const { mode } = settings
  const idle = modes
    .filter((other) => other !== mode && settings[blocks[other]] !== undefined)
    .map((other) => ({
      path: ['registration', blocks[other]],
      problem: `is for mode ${other}, but registration.mode is ${mode}: set the mode to ${other} or remove it`,
    }))
  if (mode === 'dynamic') return idle
  const at = (problem: string) => ({ path: ['registration'], problem })
  const missing = settings[blocks[mode]] === undefined ? [at(toMissing(mode))] : []
  const isOff = dynamicRegistration === false && mode !== 'verify'
  const off = `with mode ${mode} contradicts dynamicRegistration: false, which switches registration off; remove one of them`
  const isStranded = mode === 'management' && !providers.some(isManaged)
  const stranded =
    'has mode management, whose applications send people back to the provider auth0, and no provider of this id and type is configured; see docs/guides/registration-modes.md'
  const isOpen = documents !== undefined && documents !== false
  const open = `with mode ${mode} contradicts clientMetadataDocuments, which lets clients in that this mode keeps out; remove one of them`
  return [
    ...idle,
    ...missing,
    ...(isOpen ? [at(open)] : []),
    ...(isOff ? [at(off)] : []),
    ...(isStranded ? [at(stranded)] : []),
  ]
}

function isManaged({ id, type }: { readonly id: string; readonly type: string }): boolean {
  return id === 'auth0' && type === 'auth0'
}

function toMissing(mode: (typeof modes)[number]): string {
  if (mode !== 'static')
    return `has mode ${mode} and no ${blocks[mode]}; see docs/guides/registration-modes.md`
  const [redirectUri = ''] = chatgpt.redirects.uris ?? []
  return `has mode static and no static client to hand out: name one of yours as registration.static.clientId or GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID, such as ${chatgpt.id}, then register it with gatehouse clients add --public --id ${chatgpt.id} --redirect-uri ${redirectUri}. Your client at the identity provider (OAUTH_CLIENT_ID) is another one and is never handed out`
}

/**
 * The mode as `OAUTH_USE_DYNAMIC_REGISTRATION` has it, against what the file says: a name from another
 * deployment does not win over a mode that somebody chose here.
 */
export function findModeContradiction(
  file: Readonly<Record<string, unknown>> | undefined,
  given: readonly Given[],
): Problem[] {
  const foreign = given.find(({ place }) => place.endsWith('OAUTH_USE_DYNAMIC_REGISTRATION'))
  if (!foreign) return []
  const { value, place } = foreign
  const { registration, dynamicRegistration } = file ?? {}
  const { mode: chosen } = toMembers(registration)
  const asks = `asks for registration.mode ${String(value)}`
  const contradict = (words: string) => [
    { place, setting: '', problem: `${asks}, but ${words}; remove one of them` },
  ]
  if (typeof chosen === 'string' && chosen !== value)
    return contradict(`the configuration file has registration.mode ${chosen}`)
  const isOff = dynamicRegistration === false || given.some(isSwitchedOff)
  return isOff && value === 'dynamic' ? contradict('dynamicRegistration is false') : []
}

function isSwitchedOff({ path, value }: Given): boolean {
  return path.join('.') === 'dynamicRegistration' && value === false
}

function toMembers(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
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
