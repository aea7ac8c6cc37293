/** A store around another one that fails when told, and remembers what it was asked. */
import { unavailable } from '../../src/errors.ts'
import type { Store } from '../../src/storage/store.ts'

/** `before`: nothing happened. `after`: it took effect, but nobody was told (catalogue SG-10). */
export type FailurePoint = 'before' | 'after'

export interface FailingStore extends Store {
  /** Lets the n-th operation from now (from 1) fail once, and forgets the operations so far. */
  failAt(nth: number, point: FailurePoint): void
  /** Lets every operation fail until {@link FailingStore.heal}. */
  failAlways(): void
  /** Lets everything work again, and forgets the operations so far. */
  heal(): void
  /** Whether the failure that was asked for has happened. */
  hasFailed(): boolean
  /** What was asked since the last failure was set up: `get client/…`, `commit code/…`. */
  readonly operations: readonly string[]
}

/** What fails next, once or from then on. */
interface Plan {
  readonly nth: number
  readonly point: FailurePoint
  readonly lasting: boolean
}

export function failingStore(inner: Store): FailingStore {
  let operations: string[] = []
  let plan: Plan | undefined
  let failed = false

  async function run<T>(name: string, work: () => Promise<T>): Promise<T> {
    operations.push(name)
    if (plan === undefined || operations.length < plan.nth) return work()
    const { point, lasting } = plan
    failed = true
    if (!lasting) plan = undefined
    if (point === 'after') await work()
    throw unavailable('store_test')
  }

  const arm = (next: Plan | undefined): void => {
    plan = next
    operations = []
    failed = false
  }

  return {
    get: (keys) => run(`get ${keys.join(' ')}`, () => inner.get(keys)),
    commit: (change) =>
      run(
        `commit ${[...(change.set ?? []).map(({ key }) => key), ...(change.delete ?? [])].join(' ')}`,
        () => inner.commit(change),
      ),
    list: (prefix, options) => run(`list ${prefix}`, () => inner.list(prefix, options)),
    subscribe: inner.subscribe,
    sweep: inner.sweep,
    close: inner.close,
    failAt: (nth, point) => arm({ nth, point, lasting: false }),
    failAlways: () => arm({ nth: 1, point: 'before', lasting: true }),
    heal: () => arm(undefined),
    hasFailed: () => failed,
    get operations() {
      return operations
    },
  }
}
