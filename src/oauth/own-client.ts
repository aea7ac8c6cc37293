/** Clients that the owner describes in the configuration, with an id and a secret of their choice (H6, N1). */
import { OAuthError } from '../errors.ts'
import {
  type ClientMetadata,
  parseClientMetadata,
  type RegisteredAuthMethod,
} from './client-metadata.ts'

/** A client as its owner describes it. */
export interface OwnClientOptions {
  /** 3 to 128 of `A-Z a-z 0-9 . _ ~ -`. */
  readonly id: string
  /** Absent for a public client. Kept as a hash only. */
  readonly secret?: string | undefined
  /** Where codes may go; compared exactly, but for the port of a loopback address. */
  readonly redirectUris: readonly string[]
  /** Shown on the consent page. Default: none, and people see only where it leads. */
  readonly name?: string | undefined
  /** The scopes it may have. Default: all. */
  readonly scopes?: readonly string[] | undefined
  /** Default `client_secret_post`. `none`: a public client, which has no secret and always uses PKCE. */
  readonly tokenEndpointAuthMethod?: RegisteredAuthMethod | undefined
  /** `optional` lets a client with a secret come without PKCE (H5). Default `required`. */
  readonly pkce?: 'required' | 'optional' | undefined
}

/** A description that holds together. */
export interface OwnClient {
  readonly id: string
  readonly secret: string | undefined
  readonly pkce: 'required' | 'optional'
  readonly metadata: ClientMetadata
}

/** What is wrong with a description, continuing the sentence that its member begins. */
export interface OwnClientProblem {
  readonly member: keyof OwnClientOptions
  readonly problem: string
}

/** What an owner may choose for a client, whichever way they register it. */
export type OwnClientChoices = Partial<Pick<OwnClientOptions, 'id' | 'secret' | 'pkce'>>

/** The first thing that is wrong with what an owner chose: the form of the id, or what a public client cannot have. */
export function findChoiceProblem(
  { id, secret, pkce }: OwnClientChoices,
  isPublic: boolean,
): OwnClientProblem | undefined {
  if (id !== undefined && !/^[A-Za-z0-9._~-]{3,128}$/.test(id)) {
    return { member: 'id', problem: 'must be 3 to 128 of the characters A-Z a-z 0-9 . _ ~ -' }
  }
  if (isPublic && secret !== undefined) {
    return { member: 'secret', problem: 'contradicts tokenEndpointAuthMethod none; remove one' }
  }
  if (isPublic && pkce === 'optional') {
    return { member: 'pkce', problem: 'cannot be optional for a client without a secret' }
  }
  return undefined
}

/** The first thing that is wrong with a description, if anything. */
export function findOwnClientProblem(options: OwnClientOptions): OwnClientProblem | undefined {
  const isPublic = options.tokenEndpointAuthMethod === 'none'
  return (
    findChoiceProblem(options, isPublic) ??
    (isPublic || options.secret ? undefined : secretMissing) ??
    findScopeProblem(options) ??
    findMetadataProblem(options)
  )
}

const secretMissing: OwnClientProblem = {
  member: 'secret',
  problem: 'is missing; give one, or set tokenEndpointAuthMethod: none for a public client',
}

/** A limit that could not be read would be none. */
function findScopeProblem({ scopes }: OwnClientOptions): OwnClientProblem | undefined {
  if (scopes === undefined || (scopes.length > 0 && scopes.every(isScope))) return undefined
  return {
    member: 'scopes',
    problem: 'must name scopes; leave it out for a client that may have all',
  }
}

function isScope(text: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text) && text !== 'offline_access'
}

function findMetadataProblem(options: OwnClientOptions): OwnClientProblem | undefined {
  try {
    parseOwnClient(options)
    return undefined
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const member = error.code === 'invalid_redirect_uri' ? 'redirectUris' : 'name'
    return { member, problem: `cannot be taken: ${error.description ?? error.code}` }
  }
}

/**
 * The client that a description stands for.
 *
 * @throws OAuthError for metadata that no client may register
 */
export function parseOwnClient(options: OwnClientOptions): OwnClient {
  const { id, secret, name, scopes, redirectUris, pkce = 'required' } = options
  const metadata = parseClientMetadata({
    ...(name !== undefined && { client_name: name }),
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: options.tokenEndpointAuthMethod ?? 'client_secret_post',
    ...(scopes !== undefined && { scope: scopes.join(' ') }),
  })
  return { id, secret, pkce, metadata }
}
