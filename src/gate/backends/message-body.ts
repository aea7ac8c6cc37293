/**
 * The body of every message that is not piped through: what old clients post, and what is bridged. All
 * of them are read here and nowhere else, and once, whoever had to know before what a message asks for.
 */
import type { RequestContext } from '../../context.ts'
import type { Judged } from './request-fields.ts'

/**
 * The text of the posted message.
 *
 * @throws OAuthError `invalid_request` with status 413 when it is longer than the gate's limit
 */
export async function readMessageBody(context: RequestContext, judged?: Judged): Promise<string> {
  return judged?.body ?? context.exchange.readBody(context.config.gateBodyLimitBytes)
}
