/** Requests of our own to a backend on behalf of a caller, made again where the backend wants another token. */
import type { AskBackend, HeaderField } from '../../platform/exchange.ts'
import { findBackendRefusal } from '../headers.ts'
import type { LegacyHolder } from './legacy/session.ts'
import type { OurFields } from './request-fields.ts'

/** On whose behalf a backend is asked. */
export interface Caller {
  /** Header fields of every request: those of the client that may pass, and ours. */
  readonly fields: readonly HeaderField[]
  readonly ask: AskBackend
}

/**
 * Asks in the name of one caller. A request that is refused with 401 is sent once more with another token of
 * the caller's provider, when there is one (X2).
 */
export function createAsk(
  { claims, context }: Pick<LegacyHolder, 'claims' | 'context'>,
  { recover }: OurFields,
): AskBackend {
  const { ask } = context.exchange
  if (recover === undefined) return ask
  return async (request) => {
    const refusing = new AbortController()
    const signals = [refusing.signal, ...(request.signal ? [request.signal] : [])]
    const answer = await ask({ ...request, signal: AbortSignal.any(signals) })
    const refusal = findBackendRefusal(answer.status)
    if (refusal === undefined) return answer
    refusing.abort()
    const headers = await recover(refusal, request.headers, { claims, context })
    if (headers === undefined) throw refusal
    return ask({ ...request, headers })
  }
}
