/**
 * Journeys to a database across a connection. What is asked for while it is on its way, or in the same
 * turn of the event loop, goes together: the way costs more than the rows, on both sides of it.
 */

/** How pieces of work travel. */
export interface JourneyOptions<Piece, Answer> {
  /** Begins an empty load: a function that says of each piece that waits whether it goes along. */
  readonly createLoad: () => (piece: Piece) => boolean
  /** Does the work of one load; an answer for each piece, or a promise of one. */
  readonly send: (load: readonly Piece[]) => Promise<readonly (Answer | Promise<Answer>)[]>
}

/**
 * Journeys under way at once. One would join most; with two, what waits does so for half a journey on
 * average.
 */
const journeysAtOnce = 2

/** After this a journey counts no more: one that is held up holds up nobody but its own. */
const slowMilliseconds = 100

interface Waiting<Piece, Answer> {
  readonly piece: Piece
  readonly resolve: (answer: Answer | Promise<Answer>) => void
  readonly reject: (error: unknown) => void
}

/** A function that does one piece of work. A journey that fails fails for everyone on it. */
export function createJourneys<Piece, Answer>(
  options: JourneyOptions<Piece, Answer>,
): (piece: Piece) => Promise<Answer> {
  type Traveller = Waiting<Piece, Answer>
  let waiting: Traveller[] = []
  let underWay = 0
  let isPlanned = false

  const plan = (): void => {
    if (isPlanned || waiting.length === 0 || underWay >= journeysAtOnce) return
    isPlanned = true
    // Not a microtask: requests read from sockets in the same turn shall come along.
    setImmediate(() => {
      isPlanned = false
      while (waiting.length > 0 && underWay < journeysAtOnce) depart()
    })
  }
  const depart = (): void => {
    const goes = options.createLoad()
    const load: Traveller[] = []
    const left: Traveller[] = []
    for (const one of waiting) (goes(one.piece) ? load : left).push(one)
    waiting = left
    underWay += 1
    let isCounted = true
    const discount = (): void => {
      if (isCounted) underWay -= 1
      isCounted = false
      plan()
    }
    const timer = setTimeout(discount, slowMilliseconds)
    void travel(options.send, load).finally(() => {
      clearTimeout(timer)
      discount()
    })
  }
  return (piece) =>
    new Promise((resolve, reject) => {
      waiting.push({ piece, resolve, reject })
      plan()
    })
}

async function travel<Piece, Answer>(
  send: JourneyOptions<Piece, Answer>['send'],
  load: readonly Waiting<Piece, Answer>[],
): Promise<void> {
  try {
    const answers = await send(load.map(({ piece }) => piece))
    for (const [n, answer] of answers.entries()) load[n]?.resolve(answer)
  } catch (error) {
    for (const { reject } of load) reject(error)
  }
}
