/**
 * The way from one process to the shared store: slow, lossy, and cut by a crash.
 *
 * An operation takes effect at a moment that the dice choose, and its answer comes at another one. It
 * fails before or after it took effect. What a crashed process had asked for may still happen.
 */
import { unavailable } from '../../src/errors.ts'
import type { Commit, Store } from '../../src/storage/store.ts'
import type { Dice } from './dice.ts'
import { type Owner, origins, type RequestRecord } from './origin.ts'
import type { Scheduler } from './scheduler.ts'

/** What the ways of all processes have in common. */
export interface Network {
  readonly store: Store
  readonly scheduler: Scheduler
  readonly dice: Dice
  /** The probability that an operation fails. */
  faultRate(): number
  /** The probability that a hint gets lost. */
  readonly hintLoss: number
  trace(line: string): void
}

interface Operation<T> {
  readonly name: string
  readonly isCommit: boolean
  readonly work: () => Promise<T>
}

/** The store as one process sees it. */
export function linkStore(network: Network, owner: Owner): Store {
  const { store, scheduler } = network
  const run = <T>(operation: Operation<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const request = origins.getStore()?.request
      scheduler.add(() => {
        void perform(network, owner, operation, request).then((finish) => {
          const answer = (): void => {
            if (owner.isAlive) finish(resolve, reject)
          }
          if (network.dice.chance(0.5)) scheduler.add(answer)
          else answer()
        })
      })
    })
  return {
    get: (keys) =>
      run({ name: `get ${nameKeys(keys)}`, isCommit: false, work: () => store.get(keys) }),
    commit: (change) =>
      run({ name: nameCommit(change), isCommit: true, work: () => store.commit(change) }),
    list: (prefix, options) =>
      run({
        name: `list ${nameKeys([prefix])}`,
        isCommit: false,
        work: () => store.list(prefix, options),
      }),
    sweep: (limit) => run({ name: 'sweep', isCommit: false, work: () => store.sweep(limit) }),
    subscribe: (prefix, listener) => subscribe(network, owner, prefix, listener),
    isHearing: () => true,
    close: async () => {},
  }
}

type Finish<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => void

async function perform<T>(
  { dice, faultRate, trace }: Network,
  owner: Owner,
  { name, isCommit, work }: Operation<T>,
  request: RequestRecord | undefined,
): Promise<Finish<T>> {
  const who = request ? `${owner.name} ${request.name}` : owner.name
  // Sent before the process died: it may have arrived.
  if (!owner.isAlive && !(isCommit && dice.chance(0.5))) return () => {}
  const fails = owner.isAlive && dice.chance(faultRate())
  const happens = !fails || (isCommit && dice.chance(0.5))
  if (fails) {
    owner.faults += 1
    if (request) request.faults += 1
  }
  const outcome = happens ? await work().then(toValue, toError) : undefined
  if (request && isCommit && outcome?.value !== false && happens) request.mayHaveWritten = true
  trace(`${who}: ${name}${describe(isCommit, outcome?.value, { fails, happens })}`)
  return (resolve, reject) => {
    if (fails) reject(unavailable('store_simulated'))
    else if (outcome && 'error' in outcome) reject(outcome.error)
    else if (outcome) resolve(outcome.value)
  }
}

const toValue = <T>(value: T) => ({ value })
const toError = (error: unknown) => ({ error, value: undefined })

function describe(
  isCommit: boolean,
  value: unknown,
  { fails, happens }: { fails: boolean; happens: boolean },
): string {
  const result = isCommit && happens ? ` → ${String(value)}` : ''
  if (!fails) return result
  return `${result} FAILS ${happens ? 'after it took effect' : 'before it took effect'}`
}

function subscribe(
  { store, scheduler, dice, hintLoss }: Network,
  owner: Owner,
  prefix: string,
  listener: (key: string) => void,
): () => void {
  const origin = { owner }
  return store.subscribe(prefix, (key) => {
    if (!owner.isAlive || dice.chance(hintLoss)) return
    scheduler.add(() => {
      if (owner.isAlive) origins.run(origin, () => listener(key))
    })
  })
}

/** Kinds and the beginnings of ids. A signing key's id comes from real randomness and stays out. */
function nameKeys(keys: readonly string[]): string {
  return keys
    .map((key) => (key.startsWith('key/') ? 'key/…' : key.slice(0, key.indexOf('/') + 7)))
    .join(' ')
}

function nameCommit({ set = [], delete: gone = [] }: Commit): string {
  const removed = gone.length > 0 ? ` without ${nameKeys(gone)}` : ''
  return `commit ${nameKeys(set.map(({ key }) => key))}${removed}`
}
