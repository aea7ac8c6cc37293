/**
 * `GET /.well-known/oauth-protected-resource[/path]`: who protects a backend (RFC 9728 §3).
 *
 * One document per configured backend; at the root it stands for the only backend there is. Nothing in
 * it comes from the request (catalogue DI-03, DI-04).
 */
import { type Backend, type Config, type Document, toDocument } from '../context.ts'
import { corsHeaders } from '../oauth/cors.ts'
import type { Answer } from '../platform/exchange.ts'

/** One backend's document. Where it is served is up to `routes.ts`. */
export function protectedResourceMetadata(backend: Backend): Document {
  let answer: Answer | undefined
  return toDocument(({ config }) => {
    answer ??= {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
        ...corsHeaders(),
      },
      body: JSON.stringify(toResourceMetadata(backend, config)),
    }
    return answer
  })
}

/** `offline_access` is the authorization server's business and never stands here (DI-11, D48). */
function toResourceMetadata(backend: Backend, config: Config): Record<string, unknown> {
  const { registration } = config
  const scopes = Object.keys(config.scopes).filter((scope) => scope !== 'offline_access')
  return {
    resource: backend.resource,
    authorization_servers: [registration.mode === 'verify' ? registration.issuer : config.issuer],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: backend.name,
  }
}
