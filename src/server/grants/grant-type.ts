/** What a grant type is: one way to trade something for tokens at POST /token. */
import type { RequestContext, TokenResponse } from '../../context.ts'
import type { Params } from '../../oauth/params.ts'
import type { Client } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import type { Entry } from '../../storage/store.ts'

/** A token request whose client is proven and whose records were read together with the client's. */
export interface TokenRequest {
  readonly params: Params
  readonly client: Stored<Client>
  /** The entries of the keys that {@link GrantType.keys} named, in that order. */
  readonly entries: readonly (Entry | undefined)[]
}

/** One grant type. */
export interface GrantType {
  /** `grant_type` on the wire. */
  readonly name: string
  /**
   * The store keys it needs, judged from the form alone; none when its token has not even the right
   * shape, so that nothing is looked up for it (CD-14). Who the client is still comes first (H8).
   */
  keys(params: Params): string[]
  /** Trades it, in one commit. */
  redeem(request: TokenRequest, context: RequestContext): Promise<TokenResponse>
}
