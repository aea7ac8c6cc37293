/** A visit from a test: the doctor's own way to the network, a short deadline, and every known client. */
import type { Visit } from '../../src/doctor/visit.ts'
import { type VisitOptions, visitServer } from '../../src/doctor/visit-server.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createInspectHost } from '../../src/platform/inspect-host.ts'
import { createSend, type SendOptions } from '../../src/platform/probe.ts'
import { profiles } from '../../src/profiles/registry.ts'

/** Who the doctor says it is in tests. */
export const userAgent = 'mcp-gatehouse-doctor/test'

/** Visits a URL as `gatehouse doctor` would. */
export async function visit(
  url: string,
  options: Partial<VisitOptions> & Partial<SendOptions> = {},
): Promise<Visit> {
  const sending = { userAgent, deadlineSeconds: 5, ...options }
  return visitServer(new URL(url), {
    send: createSend(sending),
    inspectHost: createInspectHost(sending),
    clock: systemClock,
    random: systemRandom,
    mayRegister: true,
    profiles,
    ...options,
  })
}
