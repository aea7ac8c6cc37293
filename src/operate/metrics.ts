/** Counters and timings for Prometheus, in a registry of our own. */
import { setImmediate as afterAnswer } from 'node:timers/promises'
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Context } from '../context.ts'
import type { Metrics } from '../platform/ports.ts'

type CounterName = Parameters<Metrics['count']>[0]
type GaugeName = Parameters<Metrics['gauge']>[0]

/** What each counter counts: the HELP line of the exposition. */
const counterHelp: Record<CounterName, string> = {
  registrations: 'Client registrations',
  authorizations: 'Authorization requests',
  sign_ins: 'Sign-ins',
  tokens: 'Token requests',
  refusals: 'Requests refused',
  gate_requests: 'Requests at the gate',
  programs: 'Servers over standard input and output that were started, and how they ended',
  errors: 'Requests that failed by our own fault',
}

/** What each gauge shows: the HELP line of the exposition. */
const gaugeHelp: Record<GaugeName, string> = {
  revocations_age_seconds: 'Seconds since the list of ended grants was last read whole',
  store_hints_up:
    '1 while changes by other instances are heard at once, 0 while their channel is down',
  programs_running: 'Servers over standard input and output that run now',
}

/** Labels a counter may have; others are dropped. No label ever names a client, a user or a grant. */
const labelNames = [
  'backend',
  'code',
  'grant_type',
  'limit',
  'method',
  'origin',
  'outcome',
  'reason',
  'route',
  'status',
  'upstream',
] as const

/** Series per metric; what comes beyond is counted as `other`, so that no caller can grow them. */
const seriesAllowed = 200
/** Bucket bounds in seconds: a token answer takes milliseconds, a tool call may take a minute. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

interface Instruments {
  readonly registry: Registry
  readonly counters: Record<CounterName, Counter>
  readonly durations: Histogram
  /** The gauge of this name, made at its first use: without a value there is none to show. */
  readonly findGauge: (name: GaugeName) => Gauge
}

/** Shows how many programs run, where backends are programs. */
export function exposePrograms({
  metrics,
  programs,
  config,
}: Pick<Context, 'metrics' | 'programs' | 'config'>): void {
  if (config.backends.some(({ program }) => program !== undefined))
    metrics.gauge('programs_running', programs.count)
}

/** Shows how far an instance may be behind the others. */
export function exposeStaleness({
  metrics,
  revocations,
  store,
}: Pick<Context, 'metrics' | 'revocations' | 'store'>): void {
  metrics.gauge('revocations_age_seconds', revocations.ageSeconds)
  metrics.gauge('store_hints_up', () => Number(store.isHearing()))
}

/** The metrics of this process. The library behind them is loaded at first use, and no answer waits for it. */
export function createMetrics(): Metrics {
  let loading: Promise<Instruments> | undefined
  const load = (): Promise<Instruments> => (loading ??= createInstruments())
  const toSeries = createSeriesBound()
  const readings = new Map<GaugeName, () => number>()
  // Looking a series up by its labels costs the library more than counting.
  const counts = new Map<string, { inc(): void }>()
  const timings = new Map<string, { observe(seconds: number): void }>()
  return {
    count(name, labels = {}) {
      const id = name + JSON.stringify(labels)
      const known = counts.get(id)
      if (known) return known.inc()
      const series = toSeries(name, toKnownLabels(labels))
      void load().then(({ counters }) => remember(counts, id, counters[name].labels(series)).inc())
    },
    time(route, status, seconds) {
      const id = `${status} ${route}`
      const known = timings.get(id)
      if (known) return known.observe(seconds)
      const series = toSeries('durations', { route, status: String(status) })
      void load().then(({ durations }) =>
        remember(timings, id, durations.labels(series)).observe(seconds),
      )
    },
    gauge(name, read) {
      readings.set(name, read)
    },
    async expose() {
      const { registry, findGauge } = await load()
      for (const [name, read] of readings) findGauge(name).set(read())
      return { body: await registry.metrics(), contentType: registry.contentType }
    },
  }
}

function remember<T>(known: Map<string, T>, id: string, series: T): T {
  if (known.size < seriesAllowed) known.set(id, series)
  return series
}

async function createInstruments(): Promise<Instruments> {
  await afterAnswer()
  const prometheus = await import('prom-client')
  const registry = new prometheus.Registry()
  prometheus.collectDefaultMetrics({ register: registry })
  const toCounter = (name: CounterName): Counter =>
    new prometheus.Counter({
      name: `gatehouse_${name}_total`,
      help: counterHelp[name],
      labelNames,
      registers: [registry],
    })
  const durations = new prometheus.Histogram({
    name: 'gatehouse_http_request_duration_seconds',
    help: 'Time to answer a request, until the response headers',
    labelNames: ['route', 'status'],
    buckets: durationBuckets,
    registers: [registry],
  })
  const gauges = new Map<GaugeName, Gauge>()
  const createGauge = (name: GaugeName): Gauge => {
    const gauge = new prometheus.Gauge({
      name: `gatehouse_${name}`,
      help: gaugeHelp[name],
      registers: [registry],
    })
    gauges.set(name, gauge)
    return gauge
  }
  return {
    registry,
    findGauge: (name) => gauges.get(name) ?? createGauge(name),
    counters: {
      registrations: toCounter('registrations'),
      authorizations: toCounter('authorizations'),
      sign_ins: toCounter('sign_ins'),
      tokens: toCounter('tokens'),
      refusals: toCounter('refusals'),
      gate_requests: toCounter('gate_requests'),
      programs: toCounter('programs'),
      errors: toCounter('errors'),
    },
    durations,
  }
}

function toKnownLabels(labels: Record<string, string>): Record<string, string> {
  const known = labelNames.flatMap((name) => {
    const value = labels[name]
    return value === undefined ? [] : [[name, value.slice(0, 64)] as const]
  })
  return Object.fromEntries(known)
}

type Labels = Record<string, string>

/** Remembers the series of each metric and folds new ones into `other` once there are too many. */
function createSeriesBound(): (metric: string, labels: Labels) => Labels {
  const seen = new Map<string, Set<string>>()
  return (metric, labels) => {
    const series = seen.get(metric) ?? new Set<string>()
    seen.set(metric, series)
    const name = JSON.stringify(labels)
    if (series.has(name)) return labels
    if (series.size >= seriesAllowed) {
      return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']))
    }
    series.add(name)
    return labels
  }
}
