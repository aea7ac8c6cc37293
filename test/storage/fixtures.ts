/** What storage and token tests share: a clock that stands still, a folder that goes away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { OAuthError } from '../../src/errors.ts'
import type { Clock } from '../../src/platform/clock.ts'

/** A clock that a test moves. */
export interface TestClock extends Clock {
  advance(seconds: number): void
}

/** Stands still until it is moved. */
export function createTestClock(start = 1_800_000_000): TestClock {
  let seconds = start
  return {
    now: () => seconds,
    advance(by) {
      seconds += by
    },
  }
}

/** A folder of the running test's own, removed when it ends. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Matches an OAuthError by code and reason. */
export function refusal(
  code: OAuthError['code'],
  reason: string,
): { name: string; code: string; reason: string } {
  return { name: 'OAuthError', code, reason }
}
