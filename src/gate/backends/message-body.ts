/**
 * The body of every message that is not piped through: what old clients post, and what is bridged. All
 * of them are read here and nowhere else, so that whoever has to know what a message asks for is told of
 * each one.
 */
import type { Backend, RequestContext } from '../../context.ts'

/**
 * The text of the posted message.
 *
 * @throws OAuthError `invalid_request` with status 413 when it is longer than the gate's limit
 */
export async function readMessageBody(_backend: Backend, context: RequestContext): Promise<string> {
  return context.exchange.readBody(context.config.gateBodyLimitBytes)
}
