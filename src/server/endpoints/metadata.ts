/**
 * GET /.well-known/oauth-authorization-server: what this server is and can do (RFC 8414).
 * GET /.well-known/openid-configuration: a clean 404, because it is no OpenID provider.
 *
 * Built from configuration alone; nothing in it depends on the request (catalogue P1, DI-04). Only
 * what is implemented is advertised, and no member is ever null.
 */
import { type Config, type Context, type Endpoint, toDocument } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { assertionAlgorithms } from '../../oauth/client-assertion.ts'
import type { Answer } from '../../platform/exchange.ts'
import { toJson } from '../respond.ts'

/** Ways to authenticate with a secret, and all that registered clients have. */
const secretMethods = ['client_secret_post', 'client_secret_basic']
const registeredMethods = ['none', ...secretMethods]

/** The metadata document. Clients compare `issuer` byte for byte with where they found it. */
export function toServerMetadata({ config }: Pick<Context, 'config'>): Record<string, unknown> {
  const url = (path: string): string => config.issuer + path
  return {
    issuer: config.issuer,
    authorization_endpoint: url(config.paths.authorize),
    token_endpoint: url(config.paths.token),
    ...(config.dynamicRegistration && { registration_endpoint: url(config.paths.register) }),
    revocation_endpoint: url(config.paths.revoke),
    introspection_endpoint: url(config.paths.introspect),
    jwks_uri: url(config.paths.jwks),
    scopes_supported: [...Object.keys(config.scopes), 'offline_access'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    ...toAuthMethods(config),
    introspection_endpoint_auth_methods_supported: secretMethods,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    protected_resources: config.backends.map((backend) => backend.resource),
  }
}

/** Claude and Codex come with a document only where `none` is listed beside it, ChatGPT where either is. */
function toAuthMethods({ clientMetadataDocuments }: Config): Record<string, unknown> {
  if (clientMetadataDocuments === undefined) {
    return {
      token_endpoint_auth_methods_supported: registeredMethods,
      revocation_endpoint_auth_methods_supported: registeredMethods,
    }
  }
  const methods = [...registeredMethods, 'private_key_jwt']
  return {
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    client_id_metadata_document_supported: true,
  }
}

/** The answer of each configuration, written once: every client asks for it, and it never changes. */
const answers = new WeakMap<Config, Answer>()

/** Answers with the metadata document. */
export const serverMetadata = toDocument(({ config }) => {
  const answer = answers.get(config) ?? toJson(toServerMetadata({ config }))
  answers.set(config, answer)
  return answer
})

/** Answers that there is no OpenID configuration, in JSON, so that clients fall through cleanly. */
export const openidConfiguration: Endpoint = async () => {
  throw new OAuthError('invalid_request', 'This server is not an OpenID provider', {
    status: 404,
    reason: 'not_found',
  })
}
