/** The report of `gatehouse doctor` for a person at a terminal: findings first, verdicts last, where the eye is. */
import { styleText } from 'node:util'
import type { Severity } from '../doctor/finding.ts'
import {
  type ClientVerdict,
  documentsShownWords,
  type Report,
  type ReportedFinding,
} from '../doctor/report.ts'
import { toPrintable } from '../operate/redact.ts'
import type { Step } from '../profiles/profile.ts'

/** Where the report goes, which decides about width and colours. */
type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & NodeJS.WritableStream

/** A colour or weight. */
type Style = Parameters<typeof styleText>[0]

/** Writes a text in a style, where the stream shows styles. */
type Paint = (style: Style, text: string) => string

const widest = 100
const indent = 3
const labelWidth = 11

const severities: Readonly<Record<Severity, { word: string; style: Style }>> = {
  fault: { word: 'FAULT', style: ['red', 'bold'] },
  risk: { word: 'RISK', style: ['yellow', 'bold'] },
  note: { word: 'NOTE', style: ['cyan', 'bold'] },
}

const outcomes: Readonly<
  Record<ClientVerdict['outcome'], { mark: string; word: string; style: Style }>
> = {
  connects: { mark: '✔', word: 'connects', style: 'green' },
  stumbles: { mark: '✘', word: 'cannot connect', style: 'red' },
  unknown: { mark: '?', word: 'unknown', style: 'yellow' },
}

const stepWords: Readonly<Record<Step, string>> = {
  reach: 'reaching the server',
  discover: 'looking for the sign-in',
  register: 'registering',
  authorize: 'opening the sign-in page',
  token: 'fetching a token',
  use: 'using its token',
  refresh: 'renewing its token',
}

/** The lines of the report. */
export function renderReport(report: Report, stream: Stream): string[] {
  const canvas = createCanvas(stream)
  return [
    ...renderFindings(report.findings, stream),
    ...renderLeftBehind(report, canvas.width),
    ...renderVerdicts(report, canvas),
  ]
}

/** The findings alone, an empty line after each. */
export function renderFindings(findings: readonly ReportedFinding[], stream: Stream): string[] {
  const canvas = createCanvas(stream)
  return findings.flatMap((finding, index) => [...renderFinding(finding, index + 1, canvas), ''])
}

function createCanvas(stream: Stream): Canvas {
  const paint: Paint = (style, text) =>
    stream.isTTY === true ? styleText(style, text, { stream }) : text
  return { width: Math.min(stream.columns ?? widest, widest), paint }
}

/** How a part of the report is drawn. */
interface Canvas {
  readonly width: number
  readonly paint: Paint
}

function renderFinding(finding: ReportedFinding, number: number, canvas: Canvas): string[] {
  const { word, style } = severities[finding.severity]
  const { paint } = canvas
  return [
    `${number}. ${paint(style, word)}  ${paint('bold', toPrintable(finding.title))}  ${paint('dim', finding.id)}`,
    ...renderField('Seen', [finding.seen], canvas),
    ...renderField(
      finding.severity === 'fault' ? 'Stumble' : 'Concerns',
      listClients(finding),
      canvas,
    ),
    ...renderField('Why', [finding.why], canvas),
    ...renderField('Change', [finding.fix], canvas),
    ...renderField('Gatehouse', finding.gatehouse === undefined ? [] : [finding.gatehouse], canvas),
  ]
}

/** Clients, those that say the same together: `Claude, Claude Code: “Couldn’t connect”`. */
function listClients({ clients }: ReportedFinding): string[] {
  const byWords = Map.groupBy(clients, ({ words }) => words)
  return [...byWords].map(([words, same]) => {
    const names = same.map(({ name }) => name).join(', ')
    return words === undefined ? names : `${names}: “${words}”`
  })
}

function renderField(label: string, texts: readonly string[], { width, paint }: Canvas): string[] {
  const lines = texts.flatMap((text) => wrap(toPrintable(text), width - indent - labelWidth))
  return lines.map((line, index) => {
    const head = (index === 0 ? label : '').padEnd(labelWidth)
    return `${' '.repeat(indent)}${paint('dim', head)}${line}`
  })
}

/** What the visit left at the server, as lines; none where it left nothing. */
export function renderLeftBehind(
  { leftBehind, documentsShown }: Pick<Report, 'leftBehind' | 'documentsShown'>,
  width: number,
): string[] {
  return [...renderRegistrations(leftBehind, width), ...renderDocuments(documentsShown, width)]
}

function renderRegistrations(leftBehind: Report['leftBehind'], width: number): string[] {
  if (leftBehind.length === 0) return []
  const about =
    'These registrations could not be removed again, because the server offers no way to (RFC 7592). They hold no token and give nobody access; remove them at the server if you like:'
  return [
    ...wrap(about, width),
    ...leftBehind.map(
      ({ client, clientId = 'a client whose id could not be read' }) =>
        `  ${toPrintable(clientId)}  (as ${client})`,
    ),
    '',
  ]
}

function renderDocuments(shown: Report['documentsShown'], width: number): string[] {
  if (shown.length === 0) return []
  const names = shown.map(({ client }) => client).join(', ')
  return [...wrap(`${names}: ${documentsShownWords}`, width), '']
}

function renderVerdicts(report: Report, { width, paint }: Canvas): string[] {
  const { url, verdicts, requests } = report
  const nameWidth = Math.max(...verdicts.map(({ client }) => client.name.length))
  const margin = nameWidth + 24
  const lines = verdicts.flatMap((verdict) => {
    const { mark, word, style } = outcomes[verdict.outcome]
    const head = `  ${mark}  ${verdict.client.name.padEnd(nameWidth)}  ${word.padEnd(17)}`
    const [first = '', ...more] = wrap(explain(verdict, report), Math.max(30, width - margin))
    return [
      `${paint(style, head)}${first}`.trimEnd(),
      ...more.map((line) => ' '.repeat(margin) + line),
    ]
  })
  const sent = `${requests} request${requests === 1 ? ' was' : 's were'} sent.`
  const connects = verdicts.some(({ outcome }) => outcome === 'connects')
  const legend = connects ? 'Connects: it came to the page where a person signs in. ' : ''
  return [
    paint('bold', toPrintable(url)),
    ...describeHost(report).map((line) => paint('dim', line)),
    ...lines,
    paint('dim', `${legend}${sent}`),
  ]
}

/** Addresses, the version of HTTP and the certificate, in one line; nothing where the host was not found. */
function describeHost({ host }: Report): string[] {
  if ('kind' in host) return []
  const { ipv4, ipv6, protocol, certificate } = host
  const until = certificate && new Date(certificate.validTo * 1000)
  const facts = [
    [...ipv4, ...ipv6].slice(0, 4).join(' '),
    protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1',
    until && !Number.isNaN(until.getTime())
      ? `certificate until ${until.toISOString().slice(0, 10)}`
      : '',
  ]
  return [`  ${facts.filter(Boolean).join(' · ')}`]
}

function explain({ step, words, reason, finding }: ClientVerdict, { findings }: Report): string {
  if (reason !== undefined) return reason
  if (step === undefined) return ''
  const number = findings.findIndex(({ id }) => id === finding) + 1
  const where = `${stepWords[step]}, see ${number}`
  return toPrintable(words === undefined ? where : `${where}: “${words}”`)
}

/** Breaks a text at spaces; a word that is longer than a line, such as a URL, stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
