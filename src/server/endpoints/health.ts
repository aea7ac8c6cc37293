/**
 * GET /healthz: the process runs. GET /readyz: it can do its work, which means its own store answers.
 *
 * Neither depends on an identity provider or a backend, and neither says more than `ok` (DS-13, RS-10).
 */
import type { Endpoint } from '../../context.ts'
import { unavailable } from '../../errors.ts'
import { installations } from '../../storage/records/key.ts'
import { lateSeconds } from '../../tokens/revocations.ts'
import { toJson } from '../respond.ts'

/** Answers while the process lives. */
export const healthz: Endpoint = async () => toJson({ status: 'ok' })

/**
 * Answers while the store can be read and the ended grants are known, as the gate needs; 503 otherwise.
 *
 * It says no well before the gate does, so that a load balancer has taken the instance out by then.
 */
export const readyz: Endpoint = async (_request, { store, revocations, isReady }) => {
  // No error of ours, and nothing to log for each time that somebody asks.
  if (!(await isReady())) return toJson({ status: 'unavailable' }, 503, { 'retry-after': '2' })
  if (revocations.ageSeconds() > lateSeconds) throw unavailable('revocations_unknown')
  await store.get([installations.key('self')])
  return toJson({ status: 'ok' })
}
