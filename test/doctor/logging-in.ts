/** A login from a test, with somebody who brings the browser back. */
import { startCallbackListener } from '../../src/cli/doctor-callback.ts'
import type { LoginVisit } from '../../src/doctor/login/login-visit.ts'
import { ownClient, planLogin } from '../../src/doctor/login/plan-login.ts'
import { walkLogin } from '../../src/doctor/login.ts'
import { walk } from '../../src/doctor/walk.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createSend } from '../../src/platform/probe.ts'

const send = createSend({ userAgent: 'test' })

/** Looks at a server as the doctor does before it logs in. */
function lookAt(url: string) {
  const inspectHost = async () => ({ kind: 'not-sent' as const, detail: '' })
  return walk(new URL(url), { send, inspectHost, clock: systemClock })
}

export interface LogInOptions {
  readonly person: (page: string) => unknown
  readonly seconds?: number
  readonly signal?: AbortSignal
  readonly steps?: string[]
  /** Of the MCP URL, such as a key. */
  readonly query?: string
}

/** The whole login. `person` is handed the page and brings the browser back. */
export async function logInAt(issuer: string, options: LogInOptions): Promise<LoginVisit> {
  const signal = options.signal ?? new AbortController().signal
  const listener = await startCallbackListener({ seconds: options.seconds ?? 30, signal })
  try {
    const planned = planLogin(await lookAt(`${issuer}/mcp${options.query ?? ''}`), ownClient)
    if ('problem' in planned) throw new Error(planned.problem)
    return await walkLogin(planned.plan, {
      send,
      callbackPort: listener.port,
      openPage: (page) => void options.person(page),
      waitForCallback: listener.wait,
      onStep: (step) => options.steps?.push(step),
      random: systemRandom,
      now: systemClock.now,
      signal,
    })
  } finally {
    await listener.close()
  }
}

/** Nobody to ask: the server redirects at once. */
export const hurry = (page: string): Promise<unknown> => fetch(page)
