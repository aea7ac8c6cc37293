/**
 * Somebody signed in at a provider and may not enter.
 *
 * They see a page in any case, because only they can know what to do: come with another account, or ask.
 * The way back to the client carries `access_denied`; it is theirs to take, and until then the flow is
 * open for another attempt, at which the provider asks anew who they are.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { Flow } from '../../storage/records/flow.ts'
import type { Stored } from '../../storage/records/record.ts'
import { describeError } from '../pages/error-texts.ts'
import { renderRefusedPage } from '../pages/refused.ts'
import { findWayBack } from './finish.ts'
import { saveProgress, toFlowPath } from './journey.ts'

/** The page for this refusal. */
export async function refuseArrival(
  error: OAuthError,
  flow: Stored<Flow>,
  context: RequestContext,
): Promise<Answer> {
  await saveProgress(flow, { freshSignIn: true }, context)
  const { siteName, contact } = context.config
  const back = await findWayBack(flow.value, context).catch((fault: unknown) => {
    // The client or its address is gone meanwhile: nobody is told, and the page stands by itself.
    if (fault instanceof OAuthError && fault.status < 500) return undefined
    throw fault
  })
  const { title, message, hint } = describeError(error.reason, error.code, undefined)
  return renderRefusedPage({
    siteName,
    title,
    message,
    ...(hint !== undefined && { hint }),
    account: error.description ?? '',
    ...(contact !== undefined && { contact }),
    retry: { href: toFlowPath(flow.value.id, context), text: 'Try another account', primary: true },
    ...(back && { back: { href: back.href, text: `Go back to ${back.host}` } }),
    requestId: context.exchange.requestId,
  })
}
