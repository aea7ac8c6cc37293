/** Servers at which a client does not come to an id, or to one that is of no use. */
import { all, at, type Broken, challenge, paths, redirect, withMembers } from './broken.ts'
import { origin, page, type Reply } from './healthy.ts'
import type { Alter } from './world.ts'

const failing = (status: number, error: string, description: string): Reply => ({
  status,
  body: { error, error_description: description },
})
const refusing = (error: string, description: string) =>
  at(paths.register, () => failing(400, error, description))
/** Without documents every client registers. */
const withoutDocuments = withMembers(paths.server, {
  client_id_metadata_document_supported: undefined,
})
const registering = (...alters: readonly Alter[]) => all(withoutDocuments, ...alters)

export const unregistered: readonly Broken[] = [
  {
    name: 'neither registration nor documents',
    alter: registering(withMembers(paths.server, { registration_endpoint: undefined })),
    finds: ['no-way-to-a-client-id'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex'],
    words: {
      chatgpt: /Failed to resolve OAuth client|RFC 7591/,
      'claude-code': /does not support dynamic client registration/,
    },
  },
  {
    name: 'documents that are refused',
    alter: at(paths.authorize, (reply, { url }) =>
      url.searchParams.get('client_id')?.startsWith('https://')
        ? page('invalid_client: client_id is not a UUID', 400)
        : reply,
    ),
    finds: ['documents-refused'],
    stops: ['chatgpt-document', 'claude'],
    spares: ['chatgpt'],
  },
  {
    name: 'documents that the server cannot reach',
    alter: at(paths.authorize, (reply, { url }) =>
      url.searchParams.get('client_id')?.startsWith('https://')
        ? page('This app could not be verified: its description could not be read', 400)
        : reply,
    ),
    finds: ['documents-unread'],
    stops: ['chatgpt-document', 'claude'],
    spares: ['chatgpt'],
  },
  {
    name: 'documents without the method none',
    alter: withMembers(paths.server, {
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    }),
    finds: ['documents-without-none'],
  },
  {
    name: 'documents only, without the method none',
    alter: withMembers(paths.server, {
      registration_endpoint: undefined,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
    }),
    finds: ['documents-without-none-or-registration', 'documents-only'],
    stops: ['claude'],
  },
  {
    name: 'documents only',
    alter: withMembers(paths.server, { registration_endpoint: undefined }),
    finds: ['documents-only'],
    stops: ['chatgpt'],
    spares: ['chatgpt-document', 'claude'],
  },
  {
    name: 'registration on a host that is down',
    alter: registering(
      withMembers(paths.server, { registration_endpoint: 'https://gone.example.net/register' }),
    ),
    finds: ['registration-unreachable'],
    stops: ['chatgpt'],
  },
  {
    name: 'registration that redirects',
    alter: registering(at(paths.register, () => redirect('/register/', 307))),
    finds: ['registration-redirects'],
    stops: ['chatgpt'],
  },
  {
    name: 'registration that is not there',
    alter: registering(at(paths.register, () => page('Not found', 404))),
    finds: ['registration-not-found'],
    stops: ['chatgpt'],
  },
  {
    name: 'registration with an initial access token',
    alter: registering(at(paths.register, () => failing(401, 'invalid_token', 'Missing token'))),
    finds: ['registration-needs-token'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'registration 403',
    alter: registering(at(paths.register, () => failing(403, 'access_denied', 'Not allowed'))),
    finds: ['registration-forbidden'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex', 'cursor'],
    words: { claude: /Couldn.t register/ },
  },
  {
    name: 'registration 429',
    alter: registering(at(paths.register, () => failing(429, 'too_many_requests', 'Slow down'))),
    finds: ['registration-limited'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'registration 500',
    alter: registering(at(paths.register, () => page('Internal Server Error', 500))),
    finds: ['registration-fails'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'registration that answers with a page',
    alter: registering(at(paths.register, () => page('My app'))),
    finds: ['registration-html'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'registration that wants a scope',
    alter: registering(
      at(paths.register, (reply, { body }) =>
        body.includes('"scope"')
          ? reply
          : failing(400, 'invalid_client_metadata', 'Requested scope is required'),
      ),
    ),
    finds: ['registration-refuses-scope'],
    stops: ['chatgpt'],
    says: /Requested scope is required/,
  },
  {
    name: 'no scopes anywhere, and registration that refuses those of OpenID (supabase/mcp#183)',
    alter: all(
      challenge(`Bearer resource_metadata="${origin}${paths.resource}"`),
      withMembers(paths.resource, { scopes_supported: undefined }),
      withMembers(paths.server, { scopes_supported: undefined }),
      at(paths.register, (reply, { body }) =>
        body.includes('openid')
          ? failing(400, 'invalid_client_metadata', 'Unknown scope: openid')
          : reply,
      ),
    ),
    finds: ['registration-refuses-scope'],
    stops: ['mcp-remote'],
    spares: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'registration that refuses private schemes',
    alter: registering(
      at(paths.register, (reply, { body }) =>
        body.includes('cursor://')
          ? failing(400, 'invalid_redirect_uri', 'Redirect URI must use https or loopback')
          : reply,
      ),
    ),
    finds: ['registration-refuses-redirect'],
    stops: ['cursor'],
    spares: ['chatgpt', 'vscode', 'claude-code'],
    words: { cursor: /Transient error/ },
  },
  {
    name: 'registration of public clients only',
    alter: registering(
      at(paths.register, (reply, { body }) =>
        body.includes('client_secret_post')
          ? failing(400, 'invalid_client_metadata', 'token_endpoint_auth_method must be none')
          : reply,
      ),
    ),
    finds: ['registration-refuses-method'],
    stops: ['chatgpt', 'claude'],
    spares: ['claude-code', 'vscode'],
  },
  {
    name: 'registration that refuses without a reason',
    alter: registering(refusing('invalid_client_metadata', 'Unprocessable')),
    finds: ['registration-refused'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'registration of a static client whose id was never set',
    alter: registering(withMembers(paths.register, { client_id: '' })),
    finds: ['registration-without-client-id'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'an empty client id, which the authorization endpoint misses',
    alter: registering(
      withMembers(paths.register, { client_id: '' }),
      at(paths.authorize, () => page('Parameter client_id is required', 400)),
    ),
    finds: ['registration-without-client-id'],
    stops: ['chatgpt'],
  },
  {
    name: 'registration without redirect URIs in the answer',
    alter: registering(withMembers(paths.register, { redirect_uris: undefined })),
    finds: ['registration-without-redirects'],
    stops: ['claude-code', 'codex'],
  },
  {
    name: 'registration that answers with the redirect URIs of the provider',
    alter: registering(
      withMembers(paths.register, { redirect_uris: ['https://example.com/sso/callback'] }),
    ),
    finds: ['registration-other-redirects'],
    stops: ['claude-code'],
  },
  {
    name: 'registration with null in the answer',
    alter: registering(withMembers(paths.register, { logo_uri: null, contacts: null })),
    finds: ['registration-null-members'],
    stops: ['claude-code'],
    words: { 'claude-code': /received null/ },
    says: /"logo_uri": null, "contacts": null/,
  },
  {
    name: 'registration with a secret method and no secret',
    alter: registering(
      withMembers(paths.register, {
        token_endpoint_auth_method: 'client_secret_post',
        client_secret: undefined,
      }),
    ),
    finds: ['registration-secret-missing'],
    stops: ['chatgpt'],
  },
  {
    name: 'registration that makes everybody use Basic',
    alter: registering(
      withMembers(paths.register, {
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: 'a-secret',
        client_secret_expires_at: 0,
      }),
    ),
    finds: ['registration-other-method'],
    stops: ['open-webui'],
    spares: ['chatgpt', 'claude'],
  },
  {
    name: 'a secret without a word on its end',
    alter: registering(
      at(paths.register, (reply) => {
        const { client_secret_expires_at: _, ...body } = reply.body as Record<string, unknown>
        return { ...reply, body }
      }),
    ),
    finds: ['registration-secret-expiry'],
  },
  {
    name: 'an end of the secret that is a fraction',
    alter: registering(
      at(paths.register, (reply) =>
        JSON.stringify(reply.body).includes('client_secret"')
          ? {
              ...reply,
              body: JSON.stringify(reply.body).replace(':0', ':0.5'),
              headers: { ...reply.headers, 'content-type': 'application/json' },
            }
          : reply,
      ),
    ),
    finds: ['registration-secret-expiry', 'registration-expires'],
  },
  {
    name: 'a client that ends after a day',
    alter: registering(withMembers(paths.register, { client_secret_expires_at: 1_900_000_000 })),
    finds: ['registration-expires'],
  },
  {
    name: 'a registration that another instance does not know',
    alter: registering(at(paths.authorize, () => page('Client Not Registered', 400))),
    finds: ['registration-lost'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'a secret that caches may keep',
    alter: registering(
      at(paths.register, (reply) => ({
        ...reply,
        headers: { 'access-control-allow-origin': '*' },
      })),
    ),
    finds: ['registration-cacheable'],
  },
]
