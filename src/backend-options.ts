/** What an embedder says of one MCP server behind Gatehouse. */
import type { CallerFact } from './identity/caller-facts.ts'
import type { Policy } from './oauth/policy.ts'

/** One MCP server to protect. */
export interface BackendOptions {
  /** Default `mcp`. */
  id?: string
  /** Shown to people. Default: the id. */
  name?: string
  /** Where clients reach it. Default `/mcp`. */
  path?: string
  /** Its MCP endpoint; with `transport: 'sse'` the URL of its event stream. Absent: Gatehouse is the authorization server only. */
  to?: string | URL
  /**
   * The program that it is, in place of `to`: an MCP server that speaks over standard input and output
   * (`docs/guides/stdio.md`). A name that is looked up in PATH, or a path, and its first arguments if it is a
   * list. It is started without a shell, once for each session.
   */
  command?: string | string[] | undefined
  /** Further arguments of the program. */
  args?: string[] | undefined
  /**
   * Variables of the program: a text, or what is said of the caller. Of our own environment it gets PATH, HOME
   * and the like alone.
   */
  env?: Record<string, string | { caller: CallerFact }> | undefined
  /** Working directory of the program. Default: ours. */
  cwd?: string | undefined
  /**
   * How many of the program run at a time, in all (default 100) and for one user (default 16), and how long one
   * stays that nobody uses, in seconds (default 600).
   */
  processes?: { most?: number; perUser?: number; idleSeconds?: number } | undefined
  /** What it speaks: Streamable HTTP, or HTTP+SSE of MCP 2024-11-05. Default `streamable-http`. */
  transport?: 'streamable-http' | 'sse' | undefined
  /**
   * Where clients that only know HTTP+SSE reach it, such as `/mcp/sse`; may be `path` itself. Default: `path`
   * with `transport: 'sse'`, otherwise nowhere (`docs/guides/legacy-sse.md`).
   */
  ssePath?: string | undefined
  /** Default `none`. */
  identity?: 'none' | 'headers' | 'assertion'
  /**
   * `upstream-token`: every request carries the access token that the user's identity provider gave us, as
   * `Authorization: Bearer`. Only over https or loopback.
   */
  forward?: 'upstream-token' | undefined
  /** The one way to sign in for it: the id of an upstream, or `local`. Default: all that are configured. */
  signInWith?: string
  /** Added to every request to the backend. */
  headers?: Record<string, string>
  /** Which scopes its operations need (`docs/guides/scopes.md`). Default: none. */
  policy?: Policy | undefined
}

/** Options that only a backend with an address has. */
const ofAddresses = ['to', 'transport', 'identity', 'forward', 'headers'] as const

/** Options that only a program has. */
const ofPrograms = ['args', 'env', 'cwd', 'processes'] as const

/** An option that a backend cannot have, for the way in which it is reached. */
export type MisplacedOption = (typeof ofAddresses)[number] | (typeof ofPrograms)[number]

/** The options beside a command that are about addresses, or without one those that are about programs. */
export function listMisplaced(options: BackendOptions): readonly MisplacedOption[] {
  const others = options.command === undefined ? ofPrograms : ofAddresses
  return others.filter((name) => options[name] !== undefined && options[name] !== 'none')
}
