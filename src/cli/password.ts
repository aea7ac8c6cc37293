/** Passwords and secrets typed or piped in: never an argument, which other users of the machine could read. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { toFailure } from './failure.ts'

/** Longest text read from a pipe, in characters. */
const lengthAllowed = 4096

/**
 * A password: from standard input when `fromStdin`, else asked for twice without showing it.
 *
 * @throws Failure when there is no terminal to ask at, or the two differ
 */
export async function readPassword(fromStdin: boolean): Promise<string> {
  if (fromStdin) return readSecretLine()
  if (!process.stdin.isTTY) {
    throw toFailure('There is no terminal to ask for a password; pipe it in with --password-stdin')
  }
  const password = await askHidden('Password: ')
  const again = await askHidden('The same again: ')
  if (password !== again) throw toFailure('The two passwords differ; nothing was changed')
  return password
}

/** The first line of standard input. */
export async function readSecretLine(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > lengthAllowed) throw toFailure('Standard input is too long for a secret')
  }
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '') throw toFailure('Standard input is empty; pipe the secret in')
  return line
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(toFailure('Interrupted; nothing was changed'))
    prompt.once('SIGINT', stop).once('close', stop)
  })
  try {
    return await Promise.race([prompt.question(''), interrupted])
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}
