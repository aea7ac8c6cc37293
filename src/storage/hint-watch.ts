/** For drivers whose channel for hints is down or not there: the store is asked whether anything changed. */
import type { Hints } from './hints.ts'

/** How often it is asked whether anything changed while nothing can be heard. */
const lookMilliseconds = 500

/** Looks for changes while someone listens and nothing can be heard. */
export interface HintWatch {
  start(): void
  /** Whether the last look could be taken. */
  isWell(): boolean
  stop(): void
}

/**
 * Creates a watch.
 *
 * @param isHearing whether hints come by themselves, so that nobody need look
 * @param look answers with another text when something was committed since
 */
export function createHintWatch(
  hints: Hints,
  isHearing: () => boolean,
  look: () => Promise<string>,
): HintWatch {
  let timer: NodeJS.Timeout | undefined
  let isLooking = false
  let isWell = true
  let seen: string | undefined

  const lookOnce = async (): Promise<void> => {
    if (isLooking || isHearing()) return
    isLooking = true
    try {
      const now = await look()
      if (now !== seen) hints.tellAll()
      seen = now
      isWell = true
    } catch {
      // The next look will tell.
      isWell = false
    } finally {
      isLooking = false
    }
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const tick = (): void => {
    if (hints.any()) void lookOnce()
    else stop()
  }
  return {
    start() {
      timer ??= setInterval(tick, lookMilliseconds).unref()
    },
    isWell: () => isWell,
    stop,
  }
}
