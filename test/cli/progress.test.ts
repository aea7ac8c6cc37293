/** Progress: a bar at a terminal, lines elsewhere, nothing with --json. */
import { describe, expect, it } from 'vitest'
import { createProgress, renderProgress } from '../../src/cli/progress.ts'

function start(isTTY: boolean, isSilent = false) {
  const written: string[] = []
  let now = 0
  const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) }
  const progress = createProgress('Copying', isSilent, { stream, now: () => now })
  const show = (done: number, at: number): void => {
    now = at
    progress.show(done, 1000)
  }
  return { written, show, end: progress.end }
}

describe('createProgress', () => {
  it('draws one line again and again at a terminal, no wider than it, and takes it away', () => {
    const { written, show, end } = start(true)
    show(100, 1000)
    show(101, 1001)
    show(500, 2000)
    end()
    expect(written).toHaveLength(3)
    for (const text of written) expect(text).toMatch(/^\r\u001b\[2K[^\n]{0,59}$/)
    expect(written[1]).toContain('50 %')
  })

  it('writes a line every few seconds elsewhere, and none for short work', () => {
    const { written, show, end } = start(false)
    for (let at = 0; at <= 12_000; at += 100) show(at / 100, at)
    end()
    expect(written).toEqual([
      'Copying    5 %  50 of 1,000  10/s  95 s left\n',
      'Copying   10 %  100 of 1,000  10/s  90 s left\n',
    ])
  })

  it('is silent when asked', () => {
    const { written, show, end } = start(true, true)
    show(1, 10_000)
    end()
    expect(written).toEqual([])
  })
})

describe('renderProgress', () => {
  it('fills the bar, and never says more than all', () => {
    expect(renderProgress(500, 1000, 100, true)).toBe(
      '[############------------]   50 %  500 of 1,000  5/s  100 s left',
    )
    expect(renderProgress(1500, 1000, 1, false)).toBe('100 %  1,500 of 1,500  1,500/s  0 s left')
    expect(renderProgress(1, 100_000, 1, false)).toContain('1667 min left')
    expect(renderProgress(0, 0, 0, false)).toBe('  0 %  0 of 0  0/s')
  })
})
