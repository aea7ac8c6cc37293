/** `gatehouse doctor --login`: logs in as one client, with the person at this terminal in the browser. */
import type { Finding } from '../doctor/finding.ts'
import { findLoginFaults } from '../doctor/login/login-faults.ts'
import { type LoginClient, type LoginVisit, listLoginSteps } from '../doctor/login/login-visit.ts'
import { ownClient, planLogin, toLoginClient } from '../doctor/login/plan-login.ts'
import { describeAnswer } from '../doctor/login/read-answers.ts'
import { walkLogin } from '../doctor/login.ts'
import type { SharedVisit } from '../doctor/visit.ts'
import { systemClock } from '../platform/clock.ts'
import { systemRandom } from '../platform/crypto.ts'
import type { Send } from '../platform/probe.ts'
import type { ClientProfile } from '../profiles/profile.ts'
import { startCallbackListener } from './doctor-callback.ts'
import { exitUsage, toFailure } from './failure.ts'
import { openPage } from './open-page.ts'
import { printAside, renderTable } from './output.ts'

/** Options of a login. */
export interface LoginOptions {
  /** The clients of `--as`; the first that receives on loopback logs in. Default: the doctor's own. */
  readonly profiles?: readonly ClientProfile[] | undefined
  /** A client that is known at the server; nothing is registered then. */
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** How long the person may take, in seconds. Default 300. */
  readonly timeout?: string | undefined
  /** False with `--no-browser`: the address is only printed. */
  readonly browser: boolean
  /** No progress; the address is printed all the same. */
  readonly isSilent?: boolean
}

/** What a login came to. */
export type LoginResult =
  | { readonly visit: LoginVisit; readonly findings: readonly Finding[] }
  /** Why there was none. */
  | { readonly problem: string }

const defaultTimeoutSeconds = 300
const longestTimeoutSeconds = 86_400

/**
 * Logs in where a visit has been. Ctrl-C ends the waiting; what was made is removed first.
 *
 * @throws Failure when none of the clients asked for receives on loopback, or the timeout is no number
 */
export async function logIn(
  shared: SharedVisit,
  send: Send,
  options: LoginOptions,
): Promise<LoginResult> {
  const seconds = parseTimeout(options.timeout)
  const planned = planLogin(shared, chooseClient(options))
  if ('problem' in planned) return planned
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const listener = await startCallbackListener({ seconds, signal: stop.signal })
  try {
    const visit = await walkLogin(planned.plan, {
      send,
      callbackPort: listener.port,
      openPage: (url) => invite(url, options),
      waitForCallback: listener.wait,
      onStep: (name) => {
        if (options.isSilent !== true) printAside(`  ${name}`)
      },
      random: systemRandom,
      now: systemClock.now,
      signal: stop.signal,
    })
    return { visit, findings: findLoginFaults(visit) }
  } finally {
    process.off('SIGINT', onInterrupt)
    await listener.close()
  }
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return defaultTimeoutSeconds
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= longestTimeoutSeconds) return seconds
  throw toFailure(`--timeout must be 1 to ${longestTimeoutSeconds} seconds`, exitUsage)
}

function chooseClient({ profiles = [], clientId, clientSecret }: LoginOptions): LoginClient {
  const [client] = profiles.flatMap((profile) => toLoginClient(profile) ?? [])
  if (client === undefined && profiles.length > 0) {
    const names = profiles.map(({ name }) => name).join(', ')
    throw toFailure(
      `None of ${names} receives on this machine, so the doctor cannot log in as it; leave --as out, or name one that does, such as claude-code`,
      exitUsage,
    )
  }
  return { ...(client ?? ownClient), clientId, clientSecret }
}

/** The address is always printed: the browser that opens may not be the one that the person uses. */
function invite(url: string, { browser }: LoginOptions): void {
  const isOpened = browser && openPage(url)
  const what = isOpened ? 'Your browser opens this address; if not, open it:' : 'Open this address:'
  printAside('', `  ${what}`, '', `  ${url}`, '')
}

/** The steps of a login as a table: what was done, and what came of it. */
export function renderLogin(visit: LoginVisit): string {
  const rows = listLoginSteps(visit).map(({ name, observation }) => [
    `  ${name}`,
    describeAnswer(observation),
  ])
  const { toolCount } = visit.use ?? {}
  const tools = toolCount === undefined ? [] : [['  Tools', String(toolCount)]]
  return renderTable([...rows, ...tools])
}
