/** What a bridge has at a backend for one of its clients, whatever is spoken there. */
import type { RequestContext } from '../../../context.ts'
import type { AccessTokenClaims } from '../../../tokens/access-token.ts'
import type { Judged } from '../request-fields.ts'
import type { Message } from './messages.ts'
import type { BridgeSession } from './sessions.ts'

/** An authorised request that a bridge serves. */
export interface Call {
  readonly request: Request
  readonly claims: AccessTokenClaims
  readonly context: RequestContext
  readonly judged: Judged | undefined
}

/** The backend as one client has it. */
export interface BackendLink<Caller> {
  /** Called once, before anything is sent. */
  open(caller: Caller, context: RequestContext): Promise<void>
  /**
   * Called with each request of the client before any of its messages is sent.
   *
   * @throws OAuthError with status 404 when the link is not for this caller any more, and the session is over
   */
  verify?(caller: Caller): void
  /** Sends what has no answer; resolves when the backend has it. */
  tell(message: Message, caller: Caller): Promise<void>
  /** Sends a request, whose answer comes like every other message; rejects when none will come. */
  ask(message: Message, caller: Caller): Promise<void>
}

/** For whom a link is made. */
export interface LinkOptions {
  readonly session: BridgeSession
  /** Takes each message of the backend; the next one of the same stream waits for it. */
  readonly onMessage: (message: Message) => Promise<void>
}

/** One way to reach a backend. `Caller` is what it must know of whoever asks, looked up once for each call. */
export interface BackendSide<Caller> {
  toCaller(call: Call): Promise<Caller>
  connect(options: LinkOptions): BackendLink<Caller>
}

/** Why a message was refused: the backend does not know our session any more. */
export const sessionGone = 'backend_session_gone'

/** Opens the link of a session that has just begun, and ends the session when that fails. */
export async function openLink<
  Caller,
  Client extends { readonly session: BridgeSession; readonly link: BackendLink<Caller> },
>(client: Client, caller: Caller, context: RequestContext): Promise<Client> {
  try {
    await client.link.open(caller, context)
    return client
  } catch (error) {
    client.session.end(error)
    throw error
  }
}
