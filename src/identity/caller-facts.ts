/** What a backend that is a program can be told of its caller, in its environment. */

/** One fact. The last one is the access token of the caller's identity provider. */
export type CallerFact = 'user-id' | 'email' | 'login' | 'client-id' | 'upstream-token'

/** All of them. */
export const callerFacts = [
  'user-id',
  'email',
  'login',
  'client-id',
  'upstream-token',
] as const satisfies readonly CallerFact[]

/** Variables of a program: texts, and what is found out for each caller. */
export type CallerVariables = Readonly<Record<string, string | { readonly caller: CallerFact }>>

/** Whether one of them is said of the caller. */
export function tellsOfCallers(variables: CallerVariables = {}): boolean {
  return Object.values(variables).some((value) => typeof value !== 'string')
}

/** Whether one of them is the access token of the caller's identity provider. */
export function needsUpstreamToken(variables: CallerVariables = {}): boolean {
  return Object.values(variables).some(
    (value) => typeof value !== 'string' && value.caller === 'upstream-token',
  )
}
