/** The shape of the configuration file; unknown settings are refused, so that a typo cannot weaken anything. */
import { z } from 'zod'
import { logFormats, logLevels } from '../log.ts'
import { createClientSchemas } from './clients.ts'
import { createPathsSchema } from './paths.ts'
import { hierarchySchema, policySchema } from './policy.ts'
import { createProgramSchemas } from './programs.ts'
import { callbackUrl, createProviderSchemas, everywhereRules } from './providers.ts'
import { findBackendUrlProblem, parsePublicUrl } from './public-url.ts'
import { createRegistrationSchema, documentRule } from './registration.ts'
import { toScopeSentence } from './scope-sentences.ts'
import { parseKeyBytes, type SecretReference } from './secrets.ts'
import { createStoreSchema } from './store.ts'

const text = z.string().min(1, 'must not be empty')
const port = z.int().min(0).max(65_535)
const year = 366 * 86_400

const seconds = (least: number, most: number) => z.int().min(least).max(most)

const backendUrl = text.superRefine((value, context) => {
  const problem = findBackendUrlProblem(value)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const backendPath = z.string().regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'must be a path such as /mcp')

const publicUrl = text.transform((value, context) => {
  const parsed = parsePublicUrl(value)
  if ('origin' in parsed) return parsed.origin
  context.addIssue({ code: 'custom', message: parsed.problem })
  return z.NEVER
})

const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope name: no spaces, quotes or backslashes')

/** Scopes as `name: sentence`, or as a list of names. */
const scopes = z.preprocess(
  (given) => (Array.isArray(given) ? Object.fromEntries(given.map(toScopeEntry)) : given),
  z.record(scopeName, text),
)

function toScopeEntry(name: unknown): [string, string] {
  return [String(name), toScopeSentence(String(name))]
}

const lifetimes = z.strictObject({
  codeSeconds: seconds(10, 600).optional(),
  accessTokenSeconds: seconds(30, 86_400).optional(),
  refreshIdleSeconds: seconds(60, 10 * year).optional(),
  refreshAbsoluteSeconds: seconds(60, 10 * year).optional(),
  flowSeconds: seconds(60, 3600).optional(),
  sessionSeconds: seconds(60, year).optional(),
})

const refresh = z.strictObject({
  graceSeconds: seconds(0, 3600).optional(),
  lostResponseSeconds: seconds(0, 7 * 86_400).optional(),
  onReuse: z.enum(['revoke', 'refuse']).optional(),
})

const sessions = z.strictObject({ perUser: z.int().min(1).max(1000).optional() })

const developmentCookies = z.strictObject({
  secure: z.boolean().optional(),
  sameSite: z.enum(['lax', 'strict', 'none']).optional(),
})

const log = z.strictObject({
  level: z.enum(logLevels).optional(),
  format: z.enum(logFormats).optional(),
})

const metrics = z.strictObject({ port, host: text.default('127.0.0.1') })

const secretReference = z.union(
  [text, z.strictObject({ env: text }), z.strictObject({ file: text })],
  'must be a text, { env: NAME } or { file: PATH }',
)

/** The schema of file, environment and flags laid over each other; it reads the secrets as it goes. */
export function createConfigSchema(resolveSecret: (reference: SecretReference) => string) {
  const resolve = toCheck(resolveSecret)
  const secret = secretReference.transform(resolve)
  const providers = createProviderSchemas(secret)
  const own = createClientSchemas(secret)
  const program = createProgramSchemas(resolve)
  return z.strictObject({
    /** For editors; means nothing here. */
    $schema: z.string().optional(),
    publicUrl: publicUrl.optional(),
    host: text.optional(),
    port: port.default(8787),
    drainSeconds: seconds(0, 600).default(0),
    data: text.default('gatehouse-data'),
    store: createStoreSchema(secret).optional(),
    to: backendUrl.optional(),
    ...program.short,
    backends: z.array(createBackendSchema(secret, program.whole)).default([]),
    paths: createPathsSchema().optional(),
    oauthEnabled: z.boolean().default(true),
    siteName: text.optional(),
    scopes: scopes.optional(),
    defaultScopes: z.array(scopeName).optional(),
    scopeHierarchy: hierarchySchema.optional(),
    lifetimes: lifetimes.optional(),
    refresh: refresh.optional(),
    signingAlgorithm: z.enum(['ES256', 'EdDSA', 'RS256', 'HS256']).optional(),
    jwtSecret: secret.transform(toCheck(parseKeyBytes)).optional(),
    jwtSecretPrevious: secret.transform(toCheck(parseKeyBytes)).optional(),
    signingKeyRotationSeconds: seconds(3600, year).optional(),
    noSignIn: z.boolean().default(false),
    letAnyoneIn: z.boolean().default(false),
    localSignIn: z.boolean().optional(),
    dynamicRegistration: z.boolean().optional(),
    reuseRegistrations: z.boolean().optional(),
    client: own.client.optional(),
    clients: own.clients,
    registration: createRegistrationSchema(secret).optional(),
    clientMetadataDocuments: documentRule.optional(),
    acceptNewIssuer: z.boolean().default(false),
    acceptNewProvider: z.boolean().default(false),
    gateBodyLimitBytes: z.int().min(1024).optional(),
    ...providers.blocks,
    providers: providers.entries,
    allow: everywhereRules.optional(),
    deny: everywhereRules.optional(),
    callbackUrl: callbackUrl.optional(),
    invitedOnly: z.boolean().default(false),
    linkByVerifiedEmail: z.boolean().default(false),
    contact: text.optional(),
    reverifySeconds: seconds(60, year).optional(),
    lifetime: z.literal('upstream').optional(),
    sessions: sessions.optional(),
    developmentCookies: developmentCookies.optional(),
    log: log.default({}),
    metrics: metrics.optional(),
    tokenEncryptionKey: secret.transform(toCheck(parseKeyBytes)).optional(),
    tokenEncryptionKeyPrevious: secret.transform(toCheck(parseKeyBytes)).optional(),
    debug: z.boolean().default(false),
  })
}

/** What {@link createConfigSchema} yields. */
export type RawConfig = z.output<ReturnType<typeof createConfigSchema>>

function createBackendSchema(
  secret: z.ZodType<string>,
  program: ReturnType<typeof createProgramSchemas>['whole'],
) {
  return z.strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]+$/, 'must consist of a-z, 0-9 and -')
      .optional(),
    name: text.optional(),
    path: backendPath.optional(),
    to: backendUrl.optional(),
    ...program,
    transport: z.enum(['streamable-http', 'sse']).optional(),
    ssePath: backendPath.optional(),
    identity: z.enum(['none', 'headers', 'assertion']).optional(),
    signInWith: text.optional(),
    forward: z.literal('upstream-token').optional(),
    policy: policySchema.optional(),
    headers: z
      .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be a header name'), secret)
      .optional(),
  })
}

/** A transformation whose error becomes an issue of its own, beside all the others. */
function toCheck<I, O>(transform: (input: I) => O) {
  return (input: I, context: z.RefinementCtx): O => {
    try {
      return transform(input)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
  }
}

/** The settings that exist at a place of the configuration, for "did you mean". */
export function findKnownSettings(path: readonly (string | number)[]): string[] {
  let level = unwrap(createConfigSchema(() => ''))
  for (const part of path) {
    if (level instanceof z.ZodArray) level = unwrap(level.element)
    else if (level instanceof z.ZodObject) level = unwrap(level.shape[part] ?? level)
    else level = findMember(level, part) ?? level
  }
  return listMembers(level)
}

/** The members of an object, or of every alternative. */
function listMembers(level: z.core.$ZodType): string[] {
  if (level instanceof z.ZodObject) return Object.keys(level.shape)
  return level instanceof z.ZodUnion ? [...new Set(level.options.flatMap(listMembers))] : []
}

function findMember(level: z.core.$ZodType, name: string | number): z.core.$ZodType | undefined {
  if (!(level instanceof z.ZodUnion)) return undefined
  const objects = level.options.flatMap((option) => (option instanceof z.ZodObject ? [option] : []))
  const member = objects.map(({ shape }) => shape[name]).find((found) => found !== undefined)
  return member && unwrap(member)
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.out)
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
  return isWrapped ? unwrap(schema.unwrap()) : schema
}
