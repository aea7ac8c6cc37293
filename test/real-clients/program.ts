/** One program of a client: a process with a deadline, whose words are kept and which is gone afterwards. */
import { spawn } from 'node:child_process'

/** A program that runs. */
export interface Program {
  /** Standard output up to and including the first match. */
  until(pattern: RegExp): Promise<string>
  write(text: string): void
  /** Waits for its end; standard output. Fails with all it said when it ends badly or too late. */
  finish(): Promise<string>
  /** Ends it and everything it started. */
  stop(): Promise<void>
}

/** How a program is started. */
interface Start {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The longest that one wait for it may take. Default 120: some take seconds of both cores to begin. */
  readonly deadlineSeconds?: number
}

/** Starts one, in a process group of its own. */
export function startProgram(
  command: string,
  args: readonly string[],
  { cwd, env, deadlineSeconds = 120 }: Start,
): Program {
  const child = spawn(command, args, { cwd, env, detached: true })
  let stdout = ''
  let all = ''
  const look = new Set<() => void>()
  const hear = (text: string, isOutput: boolean): void => {
    all += text
    if (isOutput) stdout += text
    for (const notice of look) notice()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => hear(text, true))
  child.stderr.setEncoding('utf8').on('data', (text: string) => hear(text, false))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
    child.once('error', (error) => {
      hear(String(error), false)
      resolve(null)
    })
  })
  const name = [command.split('/').at(-1), ...args].join(' ')
  const kill = (): void => {
    // The whole group: launchers leave when their child does, not the other way round.
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nobody left to end.
    }
  }
  const fail = (what: string): Error => new Error(`${name} ${what}:\n${all.slice(-4000)}`)
  const within = async <T>(work: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(fail('takes too long')), deadlineSeconds * 1000)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }
  return {
    write: (text) => void child.stdin.write(text),
    until: (pattern) =>
      within(
        new Promise((resolve, reject) => {
          const notice = (): void => {
            const match = pattern.exec(stdout)
            if (!match) return
            look.delete(notice)
            resolve(stdout.slice(0, match.index + match[0].length))
          }
          look.add(notice)
          void ended.then(() => reject(fail(`ended before ${pattern}`)))
          notice()
        }),
      ),
    finish: async () => {
      child.stdin.end()
      const code = await within(ended)
      if (code !== 0) throw fail(`ended with ${code}`)
      return stdout
    },
    stop: async () => {
      kill()
      await ended
    },
  }
}
