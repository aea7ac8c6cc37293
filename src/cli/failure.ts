/** How a command ends badly: one clear line with the way out, and an exit code. */
import { OAuthError } from '../errors.ts'

/** Something went wrong while doing what was asked. */
export const exitFailure = 1
/** What was asked makes no sense: configuration or usage. */
export const exitUsage = 2

/** An error whose message is all that the person needs. */
export interface Failure extends Error {
  readonly name: 'Failure'
  readonly exitCode: number
}

/** A failure with a message for the person at the terminal. */
export function toFailure(
  message: string,
  exitCode: number = exitFailure,
  cause?: unknown,
): Failure {
  const error = new Error(message, { cause })
  return Object.assign(error, { name: 'Failure' as const, exitCode })
}

/** What the person sees of an error, and the exit code of the process. Stacks only with `debug`. */
export function renderFailure(error: unknown, debug: boolean): { text: string; exitCode: number } {
  const exitCode = isFailure(error) ? error.exitCode : exitFailure
  const lines = [`Error: ${toMessage(error)}`]
  if (debug && error instanceof Error) lines.push(toStacks(error))
  if (!debug && isSurprise(error))
    lines.push('Run it with GATEHOUSE_DEBUG=true to see where it happened')
  return { text: lines.join('\n'), exitCode }
}

/** The reason a system call failed, such as `EADDRINUSE`. */
export function findSystemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

function isFailure(error: unknown): error is Failure {
  return error instanceof Error && error.name === 'Failure' && 'exitCode' in error
}

function isSurprise(error: unknown): boolean {
  if (error instanceof OAuthError || isFailure(error)) return false
  return !(error instanceof Error && error.name === 'StartError')
}

function toMessage(error: unknown): string {
  if (error instanceof OAuthError) return error.description ?? error.code
  return error instanceof Error ? error.message : String(error)
}

function toStacks(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${toStacks(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
