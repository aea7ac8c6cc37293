/** The structured log: one line for each thing that happens, as JSON for machines or text for people. */
import { type DestinationStream, destination as openDestination, pino } from 'pino'
import type { Clock } from '../platform/clock.ts'
import type { Log, LogFields } from '../platform/ports.ts'
import { redact, redactText } from './redact.ts'

/** Levels from the most to the least talkative. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number]

/** How lines look: `json` for collectors, `text` for people. */
export const logFormats = ['json', 'text'] as const
/** One of {@link logFormats}. */
export type LogFormat = (typeof logFormats)[number]

/** Takes finished lines, newline included. */
export interface LogDestination {
  write(line: string): void
}

/** Options of {@link createLog}. */
export interface LogOptions {
  /** Less important lines are dropped. Default `info`. */
  level?: LogLevel
  /** Default `json`. */
  format?: LogFormat
  /** Default: standard error, written before the call returns, so that a crash loses nothing. */
  destination?: LogDestination
  /** Default: the machine's clock, in milliseconds. */
  clock?: Clock
}

/**
 * The log of this process.
 *
 * Fields with the name of a secret (`authorization`, `code`, `token`, `password` …) and secrets inside
 * texts are masked at any depth, and no field can forge a second line (catalogue OP-03, DS-12).
 */
export function createLog(options: LogOptions = {}): Log {
  const destination = options.destination ?? openDestination({ dest: 2, sync: true })
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      messageKey: 'message',
      timestamp: createTimestamps(options.clock),
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === 'text' ? toTextDestination(destination) : destination,
  )
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (logger.isLevelEnabled(level)) logger[level](redact(fields), redactText(message))
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** The time of a line, as pino wants it; the part before the milliseconds is formatted once a second. */
function createTimestamps(clock: Clock | undefined): () => string {
  let second = Number.NaN
  let upToSecond = ''
  return () => {
    const now = clock === undefined ? Date.now() : clock.now() * 1000
    const begun = Math.floor(now / 1000)
    if (begun !== second) {
      second = begun
      upToSecond = `,"time":"${new Date(begun * 1000).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${upToSecond}${String(Math.floor(now) - begun * 1000).padStart(3, '0')}Z"`
  }
}

/** Rewrites each JSON line as `time level message name=value …`. */
function toTextDestination(destination: LogDestination): DestinationStream {
  return {
    write(line) {
      const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>
      const words = [time, String(level).padEnd(5), message === undefined ? '' : toPlain(message)]
      const pairs = Object.entries(fields).map(([name, value]) => `${name}=${toWord(value)}`)
      destination.write(`${[...words, ...pairs].join(' ')}\n`)
    },
  }
}

/** A message: spaces as they are, control characters as JSON writes them. */
function toPlain(message: unknown): string {
  return JSON.stringify(message).slice(1, -1).replaceAll('\\"', '"')
}

/** A value: bare when it is one harmless word, JSON otherwise. */
function toWord(value: unknown): string {
  const isBare = typeof value === 'string' && /^[^\s"'=\\\p{Cc}]+$/u.test(value)
  return isBare ? value : JSON.stringify(value)
}
