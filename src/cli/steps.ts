/** What is being done just now, on standard error: one line that is replaced at a terminal, lines in a pipe. */

/** Told of every step as it begins. */
export interface Steps {
  begin(name: string): void
  /** Takes the line away. */
  end(): void
}

/** Where steps are told; for tests. */
export interface StepsStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Tells of `total` steps; `isSilent` for `--json`. */
export function createSteps(
  total: number,
  isSilent: boolean,
  stream: StepsStream = process.stderr,
): Steps {
  if (isSilent) return { begin: () => {}, end: () => {} }
  let begun = 0
  return {
    begin(name) {
      begun += 1
      const text = `[${begun}/${total}] ${name}`
      if (stream.isTTY !== true) return void stream.write(`${text}\n`)
      stream.write(`\r\u001b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    end() {
      if (stream.isTTY === true && begun > 0) stream.write('\r\u001b[2K')
    },
  }
}
