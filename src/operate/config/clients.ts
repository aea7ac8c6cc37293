/**
 * Clients of ours in the configuration: `clients` lists them, and `client` is the short form of one, which
 * `OAUTH_CLIENT_ID` and `OAUTH_CLIENT_SECRET` fill in where there is no identity provider (N1).
 */
import { z } from 'zod'
import { findOwnClientProblem, type OwnClientOptions } from '../../oauth/own-client.ts'
import { chatgpt } from '../../profiles/clients/chatgpt.ts'
import type { SettingPath } from './layers.ts'
import type { RawConfig } from './schema.ts'

const text = z.string().min(1, 'must not be empty')

/** Whom the guides have the owner type the secret into. */
const { id: defaultId, name: defaultName, redirects: defaultRedirects } = chatgpt

/** Shortest secret that is not warned about, in characters. */
export const shortestSecret = 16

/** The schemas of `client` and of an entry of `clients`. */
export function createClientSchemas(secret: z.ZodType<string>) {
  const members = {
    secret: secret.optional(),
    name: text.optional(),
    scopes: z.array(text).optional(),
    tokenEndpointAuthMethod: z
      .enum(['none', 'client_secret_post', 'client_secret_basic'])
      .optional(),
    pkce: z.enum(['required', 'optional']).optional(),
  }
  const redirectUris = z.array(text).min(1)
  return {
    client: z.strictObject({
      id: text.default(defaultId),
      ...members,
      redirectUris: redirectUris.optional(),
    }),
    clients: z.array(z.strictObject({ id: text, ...members, redirectUris })).default([]),
  }
}

/** A client and where it was described. */
interface DescribedClient {
  readonly options: OwnClientOptions
  readonly path: SettingPath
}

/** Every client: the short form first. */
export function listClients(raw: Pick<RawConfig, 'client' | 'clients'>): DescribedClient[] {
  const listed = raw.clients.map((options, index) => ({ options, path: ['clients', index] }))
  return raw.client ? [{ options: toWhole(raw.client), path: ['client'] }, ...listed] : listed
}

/** The short form without redirect URIs is ChatGPT. */
function toWhole(client: NonNullable<RawConfig['client']>): OwnClientOptions {
  const { redirectUris = defaultRedirects.uris ?? [] } = client
  const isDefault = client.redirectUris === undefined
  return { ...(isDefault && { name: defaultName }), ...client, redirectUris }
}

/** What is wrong with the clients, each continuing a sentence that its setting begins. */
export function findClientProblems(raw: RawConfig): { path: SettingPath; problem: string }[] {
  const described = listClients(raw)
  return described.flatMap(({ options, path }, index) => {
    const found = findOwnClientProblem(options)
    if (found) return [{ path: [...path, found.member], problem: found.problem }]
    const isTaken = described.slice(0, index).some((earlier) => earlier.options.id === options.id)
    const at = (member: string, problem: string) => [{ path: [...path, member], problem }]
    if (isTaken) return at('id', `is ${options.id}, as another client's; describe each once`)
    if (raw.registration?.mode === 'verify') {
      return at(
        'id',
        'is for an authorization server of ours, and with registration.mode verify there is none',
      )
    }
    const { scopes } = raw
    const unknown = options.scopes?.filter((name) => scopes && scopes[name] === undefined) ?? []
    return unknown.length === 0
      ? []
      : at('scopes', `names ${unknown.join(', ')}, which scopes does not have`)
  })
}

/** The names in the environment that mean a client of ours, or our client at a provider. */
export function findClientNames(
  env: Readonly<Record<string, string | undefined>>,
  member: 'id' | 'secret',
): string[] {
  const plain = member === 'id' ? 'OAUTH_CLIENT_ID' : 'OAUTH_CLIENT_SECRET'
  return [plain, `MCP_${plain}`, `${plain}_FILE`, `MCP_${plain}_FILE`].filter((name) => env[name])
}
