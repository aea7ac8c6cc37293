/** An identity provider that knows everybody and asks nothing: for tests in which passwords only cost time. */
import type { Upstream } from '../../src/identity/upstream.ts'

/** @param toOrigin where the server under test listens, when that is not its issuer */
export function instantUpstream(toOrigin: () => string): Upstream {
  return {
    id: 'instant',
    label: 'Instant',
    start: async ({ state }) => {
      const url = new URL('/callback/instant', toOrigin())
      url.searchParams.set('state', state)
      return url
    },
    finish: async () => ({ subject: '1', login: 'ada' }),
  }
}
