/** GET /metrics: counters and timings in the Prometheus text format, behind the admin token (OP-06). */
import type { Endpoint } from '../../context.ts'
import { verifyAdmin } from '../admin.ts'

/** Answers with the exposition text. */
export const metrics: Endpoint = async (request, context) => {
  await verifyAdmin(request, context)
  const { body, contentType } = await context.metrics.expose()
  return {
    status: 200,
    headers: { 'content-type': contentType, 'cache-control': 'no-store' },
    body,
  }
}
