/** A store around another one that fails when told, and remembers what it was asked. */
import { unavailable } from '../../src/errors.ts'
import type { Commit, Store } from '../../src/storage/store.ts'

/**
 * `before`: nothing happened. `after`: it took effect, but nobody was told (catalogue SG-10). `lost`: a
 * commit with checks is told that somebody was faster, which is an answer and no failure; nothing else is.
 */
export type FailurePoint = 'before' | 'after' | 'lost'

/** An operation that failed: `get client/…`, `commit code/… -flow/…` (a key that goes has a minus). */
export interface Failure {
  readonly operation: string
  readonly point: FailurePoint
}

export interface FailingStore extends Store {
  /** Lets the n-th operation from now (from 1) fail once, and forgets the operations so far. */
  failAt(nth: number, point: FailurePoint): void
  /** Lets each of these operations fail once, and forgets the operations so far. */
  failAtEach(faults: ReadonlyMap<number, FailurePoint>): void
  /** Lets the first operation whose name begins so fail once, and forgets the operations so far. */
  failOn(beginning: string, point: FailurePoint): void
  /** Lets every operation fail that comes while it is down, and forgets the operations so far. */
  failWhile(isDown: () => boolean): void
  /** Lets every operation fail until {@link FailingStore.heal}. */
  failAlways(): void
  /** Lets everything work again, and forgets the operations so far. */
  heal(): void
  /** Whether a failure that was asked for has happened. */
  hasFailed(): boolean
  /** What was asked since the last failure was set up. */
  readonly operations: readonly string[]
  /** What failed of it. */
  readonly failures: readonly Failure[]
  /** How many listen for hints. */
  countListeners(): number
}

/** Says of each operation whether it fails; operations are counted from 1. */
type Rule = (nth: number, operation: string) => FailurePoint | undefined

export function failingStore(inner: Store): FailingStore {
  let operations: string[] = []
  let failures: Failure[] = []
  let findFailure: Rule = () => undefined
  let listeners = 0

  async function run<T>(operation: string, work: () => Promise<T>, lost?: T): Promise<T> {
    operations.push(operation)
    const point = findFailure(operations.length, operation)
    if (point === undefined || (point === 'lost' && lost === undefined)) return work()
    failures.push({ operation, point })
    if (point === 'lost' && lost !== undefined) return lost
    if (point === 'after') await work()
    throw unavailable('store_test')
  }

  const arm = (rule: Rule): void => {
    findFailure = rule
    operations = []
    failures = []
  }

  return {
    get: (keys) => run(`get ${keys.join(' ')}`, () => inner.get(keys)),
    commit: (change) => {
      const lost = change.check?.length ? false : undefined
      return run(`commit ${nameKeys(change)}`, () => inner.commit(change), lost)
    },
    list: (prefix, options) => run(`list ${prefix}`, () => inner.list(prefix, options)),
    subscribe(prefix, listener) {
      const unsubscribe = inner.subscribe(prefix, listener)
      listeners += 1
      return () => {
        listeners -= 1
        unsubscribe()
      }
    },
    isHearing: inner.isHearing,
    sweep: inner.sweep,
    close: inner.close,
    failAt: (nth, point) => arm((count) => (count === nth ? point : undefined)),
    failAtEach: (faults) => arm((count) => faults.get(count)),
    failOn: (beginning, point) =>
      arm((_, operation) =>
        failures.length === 0 && operation.startsWith(beginning) ? point : undefined,
      ),
    failWhile: (isDown) => arm(() => (isDown() ? 'before' : undefined)),
    failAlways: () => arm(() => 'before'),
    heal: () => arm(() => undefined),
    hasFailed: () => failures.length > 0,
    get operations() {
      return operations
    },
    get failures() {
      return failures
    },
    countListeners: () => listeners,
  }
}

function nameKeys(change: Commit): string {
  const written = (change.set ?? []).map(({ key }) => key)
  return [...written, ...(change.delete ?? []).map((key) => `-${key}`)].join(' ')
}
