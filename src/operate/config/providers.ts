/**
 * Identity providers as they are configured: `providers` lists them, and a block named after a type
 * (`github:`, `google:` …) is the short form of one entry whose id is its type.
 */
import { z } from 'zod'
import { findBackendUrlProblem } from './public-url.ts'

const text = z.string().min(1, 'must not be empty')
const texts = z.array(text)
const emails = z.array(z.email('must be an e-mail address'))

const url = text.superRefine((value, context) => {
  if (findBackendUrlProblem(value) === undefined) return
  const message = 'must be an http(s) URL without credentials and fragment'
  context.addIssue({ code: 'custom', message })
})

/** Where a provider sends the browser back to, below the public URL. */
export const callbackPath = z
  .string()
  .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'must be a path such as /oauth2/callback')
  .refine((path) => !/\/\.{1,2}(\/|$)/.test(path), 'must not contain . or ..')

/** Our callback at the only provider as a whole URL, as other deployments give it. */
export const callbackUrl = text.superRefine((value, context) => {
  const url = /^https?:\/\//.test(value) ? URL.parse(value) : null
  const path = url && callbackPath.safeParse(url.pathname)
  if (url && path?.success && !/[?#]/.test(value)) return
  const message = url
    ? 'must have a path, such as https://mcp.example.com/oauth2/callback, and neither query nor fragment'
    : 'must be a URL such as https://mcp.example.com/oauth2/callback'
  context.addIssue({ code: 'custom', message })
})

/** The rules of every provider that has none of its own. What is in them every provider can say. */
export const everywhereRules = z.strictObject({
  emails: emails.optional(),
  domains: texts.optional(),
})

const rules = z.strictObject({
  ...everywhereRules.shape,
  logins: texts.optional(),
  organizations: texts.optional(),
  teams: texts.optional(),
  tenants: texts.optional(),
  claims: z.record(text, z.union([text, texts], 'must be a text or a list of texts')).optional(),
})

/** Who may enter, or may not, by what a provider says of them. */
export type ProviderRules = z.output<typeof rules>

const reverifyWith = z.enum(['userinfo', 'refresh-token']).optional()
const clientAuthentication = z.enum(['client_secret_post', 'client_secret_basic']).optional()

/** What every OpenID provider has besides. */
const openidMembers = {
  offlineAccess: z.boolean().optional(),
  clockToleranceSeconds: z.int().min(0).max(300).optional(),
}

/** What each type of provider has besides what all have. */
const ownMembers = {
  github: { endpoints: z.strictObject({ web: url, api: url }).partial().optional() },
  google: { hostedDomain: text.optional(), issuer: url.optional(), ...openidMembers },
  auth0: {
    domain: text.optional(),
    issuer: url.optional(),
    audience: text.optional(),
    reverifyWith,
    ...openidMembers,
  },
  okta: { issuer: url, reverifyWith, ...openidMembers },
  entra: { tenant: text, authority: url.optional(), ...openidMembers },
  oidc: {
    issuer: url,
    audience: text.optional(),
    clientAuthentication,
    idTokenAlgorithms: texts.optional(),
    reverifyWith,
    ...openidMembers,
  },
  oauth2: {
    issuer: url.optional(),
    authorizationEndpoint: url,
    tokenEndpoint: url,
    profileEndpoint: url,
    revocationEndpoint: url.optional(),
    profile: z.strictObject({
      subject: text,
      login: text.optional(),
      email: text.optional(),
      emailVerified: text.optional(),
      name: text.optional(),
      groups: text.optional(),
    }),
    authorizationParameters: z.record(text, text).optional(),
    clientAuthentication,
  },
}

/** A type of provider. */
export type ProviderType = keyof typeof ownMembers

/** Every type, in the order in which short forms are offered to people. */
export const providerTypes = Object.keys(ownMembers) as ProviderType[]

/** What is configured for every provider. */
function createCommonMembers(secret: z.ZodType<string>) {
  return {
    label: text.optional(),
    clientId: text,
    clientSecret: secret,
    scopes: texts.optional(),
    callbackPath: callbackPath.optional(),
    allow: rules.optional(),
    deny: rules.optional(),
    match: z.enum(['any', 'all']).optional(),
  }
}

/** The schemas of the short forms, and of an entry of `providers`. */
export function createProviderSchemas(secret: z.ZodType<string>) {
  const common = createCommonMembers(secret)
  const id = z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must consist of a-z, 0-9 and -')
    .optional()
  const own = ownMembers
  const every = { id, ...common }
  const short = {
    allowedLogins: texts.optional(),
    allowedEmails: emails.optional(),
    allowedDomains: texts.optional(),
  }
  return {
    blocks: {
      github: z.strictObject({ ...common, ...own.github, ...short }).optional(),
      google: z.strictObject({ ...common, ...own.google }).optional(),
      auth0: z.strictObject({ ...common, ...own.auth0 }).optional(),
      okta: z.strictObject({ ...common, ...own.okta }).optional(),
      entra: z.strictObject({ ...common, ...own.entra }).optional(),
      oidc: z.strictObject({ ...common, ...own.oidc }).optional(),
      oauth2: z.strictObject({ ...common, ...own.oauth2 }).optional(),
    },
    entries: z
      .array(
        z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('github'), ...every, ...own.github }),
          z.strictObject({ type: z.literal('google'), ...every, ...own.google }),
          z.strictObject({ type: z.literal('auth0'), ...every, ...own.auth0 }),
          z.strictObject({ type: z.literal('okta'), ...every, ...own.okta }),
          z.strictObject({ type: z.literal('entra'), ...every, ...own.entra }),
          z.strictObject({ type: z.literal('oidc'), ...every, ...own.oidc }),
          z.strictObject({ type: z.literal('oauth2'), ...every, ...own.oauth2 }),
        ]),
      )
      .default([]),
  }
}
