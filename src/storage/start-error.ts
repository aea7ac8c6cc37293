/**
 * A problem that keeps Gatehouse from starting and that its owner can solve: a wrong master key, a
 * damaged database, a folder that cannot be written.
 *
 * A plain `Error` named `StartError`. Its message is written for the owner and is all that the
 * command line shows; what lies underneath is in `cause`.
 */
export function toStartError(message: string, cause?: unknown): Error {
  const error = new Error(message, { cause })
  error.name = 'StartError'
  return error
}
