/** Client metadata (RFC 7591 §2): what a client may register, validated and made honest. */

/** Ways a client authenticates at the token endpoint that we support. */
export type ClientAuthMethod = 'none' | 'client_secret_post' | 'client_secret_basic'

/** Registered members, wire names, as the registration answer echoes them. No member is ever null. */
export interface ClientMetadata {
  readonly client_name?: string
  readonly redirect_uris: readonly string[]
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: ClientAuthMethod
  readonly scope?: string
  readonly application_type?: 'native' | 'web'
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly tos_uri?: string
  readonly policy_uri?: string
  readonly contacts?: readonly string[]
  readonly software_id?: string
  readonly software_version?: string
}
