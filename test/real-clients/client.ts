/** What every driver of a real client does. */
import { join } from 'node:path'
import { modules } from './install.ts'
import type { Stage } from './stage.ts'

/** A note that the client's tool call is to write. */
export interface Note {
  readonly title: string
  readonly text: string
}

/** One real client, as its user would use it. */
export interface RealClient {
  /** Its profile in `src/profiles/`. */
  readonly id: string
  /** The package that it is published as. */
  readonly name: string
  /** The package that has to be installed, when that is another one: the program for one platform. */
  readonly program?: string
  /** Its metadata document, which it comes with where the server reads documents. */
  readonly document?: string
  /** How long before a token's end it refreshes by its own clock. Default: when a token is refused. */
  readonly refreshesSecondsBefore?: number
  /** Whether it asks for more scopes by itself when a tool needs them. */
  readonly stepsUp?: boolean
  /** From nothing to signed in. */
  login(stage: Stage): Promise<void>
  /** Lists the tools and calls `add_note`; what it says of both. */
  useTools(stage: Stage, note: Note): Promise<string>
  /** Signs out, where it has a way that tells the server. */
  logout?(stage: Stage): Promise<void>
}

/** The path of an installed command. */
export function findBin(name: string): string {
  return join(modules, '.bin', name)
}
