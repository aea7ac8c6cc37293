/** On whose behalf bridges ask a backend over HTTP. */
import type { HeaderField } from '../../../platform/exchange.ts'
import { cleanRequestFields } from '../../headers.ts'
import { type Caller, createAsk } from '../asking.ts'
import { type OurFields, withOurs } from '../request-fields.ts'
import type { Call } from './link.ts'

/** What the client's request says about its own transport, and about the body that was read. */
const transportFields: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'mcp-session-id',
  'last-event-id',
])

/** The fields of the client that may pass, and ours. */
export async function toHttpCaller(
  { request, claims, context }: Call,
  ours: OurFields,
): Promise<Caller> {
  const cleaned = withoutTransport(cleanRequestFields(request.headers))
  const fields = withOurs(cleaned, await ours.find(claims, context))
  return { fields, ask: createAsk({ claims, context }, ours) }
}

function withoutTransport(fields: readonly HeaderField[]): HeaderField[] {
  return fields.filter(([name]) => !transportFields.has(name))
}
