/**
 * The environment of a backend that is a program: what the owner configured, and what it is told of the
 * caller. It is given when the program starts, so a caller of whom something else is to be said gets
 * another program.
 */
import type { RequestContext } from '../../../context.ts'
import type { CallerFact } from '../../../identity/caller-facts.ts'
import type { AccessTokenClaims } from '../../../tokens/access-token.ts'
import { createPersonLookup } from '../../identity.ts'
import { createUpstreamTokens } from '../../upstream-token.ts'
import type { Call } from '../bridge/link.ts'
import type { StdioBackend } from '../request-fields.ts'

/** The variables of one program. */
export interface ProgramEnvironment {
  readonly variables: Readonly<Record<string, string>>
  /** Differs when anything in it differs. */
  readonly key: string
}

/** Finds the environment for whoever calls. */
export type FindEnvironment = (call: Call) => Promise<ProgramEnvironment>

/** Finds environments for one backend; what is remembered of callers is remembered here. */
export function createEnvironments(backend: StdioBackend): FindEnvironment {
  const wanted = Object.entries(backend.program.env)
  const findFact = createFacts(backend)
  return async ({ claims, context }) => {
    const found: [string, string][] = []
    for (const [name, value] of wanted) {
      const text = typeof value === 'string' ? value : await findFact(value.caller, claims, context)
      if (text !== undefined) found.push([name, text])
    }
    return { variables: Object.fromEntries(found), key: JSON.stringify(found) }
  }
}

function createFacts(backend: StdioBackend) {
  const findPerson = createPersonLookup()
  const tokens = createUpstreamTokens(backend)
  return async (
    fact: CallerFact,
    claims: AccessTokenClaims,
    context: RequestContext,
  ): Promise<string | undefined> => {
    if (fact === 'user-id') return claims.sub
    if (fact === 'client-id') return claims.client_id
    if (fact === 'upstream-token') return tokens.find(claims, context)
    // Another issuer's users are none of ours, whatever their ids.
    const isOurs = claims.iss === context.config.issuer
    const known = isOurs ? (await findPerson(claims.sub, context))?.[fact] : undefined
    return known !== undefined && isPlain(known) ? known : undefined
  }
}

/** Nothing that a person calls themselves can end the value in whatever reads it line by line. */
function isPlain(text: string): boolean {
  return !/\p{Cc}/u.test(text)
}
