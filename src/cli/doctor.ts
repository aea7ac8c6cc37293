/** `gatehouse doctor URL`: visits an MCP server as its clients would, and says what each of them would do. */
import { diagnose } from '../doctor/checks.ts'
import { createReport, type Report } from '../doctor/report.ts'
import type { HtmlReport } from '../doctor/report-html/html-report.ts'
import type { Visit } from '../doctor/visit.ts'
import { type VisitOptions, visitServer } from '../doctor/visit-server.ts'
import { findSimilar } from '../operate/similar.ts'
import { systemClock } from '../platform/clock.ts'
import { systemRandom } from '../platform/crypto.ts'
import { createInspectHost } from '../platform/inspect-host.ts'
import { createSend } from '../platform/probe.ts'
import type { ClientProfile } from '../profiles/profile.ts'
import { findProfile, profiles } from '../profiles/registry.ts'
import type { ConfigOptions } from './config.ts'
import { toReportJson } from './doctor-json.ts'
import {
  type LoginOptions,
  type LoginResult,
  type LoginWish,
  logIn,
  prepareLogin,
  renderLogin,
  toLoginJson,
  verifyFinished,
} from './doctor-login.ts'
import { refuseInstallationOptions } from './doctor-options.ts'
import { verifyReportFile, writeReport } from './doctor-page.ts'
import { renderLeftBehind, renderReport } from './doctor-text.ts'
import { exitUsage, toFailure } from './failure.ts'
import { print, printAside, renderJson } from './output.ts'
import { createSteps } from './steps.ts'
import { readUserAgent, readVersion } from './version.ts'

/** Options of `doctor`. */
export interface DoctorOptions extends LoginOptions, Omit<ConfigOptions, 'json'> {
  as?: string
  json?: boolean
  publicChecker?: boolean
  timeout?: string
  /** File of the report as a page. */
  report?: string
}

/** The clients that most people have, played when none are named. */
const bestKnown = ['chatgpt', 'claude', 'claude-code', 'vscode', 'cursor', 'codex', 'gemini-cli']

const longestTimeoutSeconds = 120
/** Of what is said on the side, in characters. */
const linesWidth = 100

/**
 * Visits, and prints the report.
 *
 * Fails with exit code 1 when a client stumbles, so that a pipeline stops there.
 */
export async function examine(address: string | undefined, options: DoctorOptions): Promise<void> {
  if (address === undefined)
    throw toFailure('Name the MCP URL to visit, or --self for this installation', exitUsage)
  const url = parseAddress(address)
  refuseInstallationOptions(options)
  if (options.report !== undefined) verifyReportFile(options.report)
  const played = choosePlayed(options.as)
  const wish = await prepareLogin(options, isAnyone(options.as) ? [] : played)
  const { report, login } = await visitAndReport(url, played, options, wish)
  if (options.json === true) {
    const json = { ...toReportJson(report), login: login && toLoginJson(login) }
    print(renderJson(json))
  } else print(...renderReport(report, process.stdout), ...(login ? renderLogin(login) : []))
  if (options.report !== undefined) writeReport(options.report, toPage(report, login))
  if (login !== undefined) verifyFinished(login)
  const stumbling = report.verdicts.filter(({ outcome }) => outcome === 'stumbles')
  if (stumbling.length === 0) return
  throw toFailure(`${stumbling.length} of ${count(played.length, 'client')} cannot connect`)
}

async function visitAndReport(
  url: URL,
  played: readonly ClientProfile[],
  options: DoctorOptions,
  wish: LoginWish | undefined,
): Promise<{ report: Report; login: LoginResult | undefined }> {
  const steps = createSteps(played.length + 1, options.json === true)
  const reaching = {
    userAgent: readUserAgent('doctor'),
    deadlineSeconds: parseTimeout(options.timeout),
    isPublicOnly: options.publicChecker === true,
  }
  const send = createSend(reaching)
  if (options.as === undefined && options.json !== true) {
    printAside(`As the best known clients; all ${profiles.length} with --as all`)
  }
  try {
    const visit = await visitUnlessStopped(url, {
      send,
      inspectHost: createInspectHost(reaching),
      clock: systemClock,
      random: systemRandom,
      mayRegister: options.register,
      profiles: played,
      onStep: (profile) => steps.begin(profile ? `As ${profile.name}` : 'Looking at the server'),
    })
    steps.end()
    const login = wish && (await logIn(visit.shared, send, wish))
    const findings = [...diagnose(visit), ...(login && 'findings' in login ? login.findings : [])]
    return { report: createReport(visit, findings), login }
  } finally {
    steps.end()
  }
}

/** Ctrl-C lets the client under way remove its registration, then it is over; without one it is over at once. */
async function visitUnlessStopped(url: URL, options: VisitOptions): Promise<Visit> {
  const stop = new AbortController()
  let isPlaying = false
  const onStep: VisitOptions['onStep'] = (profile) => {
    isPlaying = profile !== undefined
    options.onStep?.(profile)
  }
  const onInterrupt = (): void => {
    stop.abort()
    if (isPlaying) printAside('', 'Removing what is registered; Ctrl+C again leaves it behind')
  }
  process.once('SIGINT', onInterrupt)
  try {
    const visit = await visitServer(url, { ...options, onStep, signal: stop.signal })
    if (stop.signal.aborted) {
      printAside('', ...renderLeftBehind(createReport(visit, []), linesWidth))
      throw toFailure('Stopped; nothing that can be removed was left behind')
    }
    return visit
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

/** The report and the login as one page. */
function toPage(report: Report, result: LoginResult | undefined): HtmlReport {
  const login = result && 'visit' in result ? result.visit : undefined
  const requests = report.requests + (login?.requests ?? 0)
  return { ...report, requests, version: readVersion(), login }
}

/** The MCP URL to visit; its fragment is dropped, which no client sends. */
function parseAddress(text: string): URL {
  if (!text.includes('://') || !URL.canParse(text)) throw refuseAddress(text)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw toFailure(
      `MCP clients speak https: ${url.protocol}// is nothing they connect to`,
      exitUsage,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw toFailure(
      'MCP clients send no name and password in the address: leave them out',
      exitUsage,
    )
  }
  url.hash = ''
  return url
}

/** The address that was probably meant, where there is one. */
function refuseAddress(text: string): Error {
  const isLocal = /^(?:localhost|127\.|\[::1\])/.test(text)
  const meant = `${isLocal ? 'http' : 'https'}://${text}`
  const hint = /^[\w.[\]:-]+(?:[/?].*)?$/.test(text) && URL.canParse(meant)
  const say = hint ? `did you mean ${meant}?` : 'give it whole, such as https://example.com/mcp'
  return toFailure(`${text} is no address of an MCP server: ${say}`, exitUsage)
}

/** Whether no client in particular was named. */
function isAnyone(names: string | undefined): boolean {
  return names === undefined || names === 'all'
}

/** The clients to play, in the order in which they were named. */
function choosePlayed(names: string | undefined): readonly ClientProfile[] {
  if (names === 'all') return profiles
  const asked = names === undefined ? bestKnown : names.split(',').map((name) => name.trim())
  const wanted = [...new Set(asked.filter(Boolean))]
  if (wanted.length === 0)
    throw toFailure('Name clients: --as chatgpt,claude or --as all', exitUsage)
  return wanted.map((id) => findProfile(id.toLowerCase()) ?? refuseClient(id))
}

function refuseClient(id: string): never {
  const ids = profiles.map((profile) => profile.id)
  const similar = findSimilar(id, ids)
  const hint = similar === undefined ? `Known are: ${ids.join(', ')}` : `Did you mean ${similar}?`
  throw toFailure(`There is no client ${id}. ${hint}`, exitUsage)
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return 10
  const seconds = Number(text)
  if (seconds >= 1 && seconds <= longestTimeoutSeconds) return seconds
  throw toFailure(`--timeout takes 1 to ${longestTimeoutSeconds} seconds, not ${text}`, exitUsage)
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
