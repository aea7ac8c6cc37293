/** Identity providers that ask nothing: for tests in which passwords only cost time. */
import type { Upstream } from '../../src/identity/upstream.ts'

/**
 * One that knows everybody.
 *
 * @param toOrigin where the server under test listens, when that is not its issuer
 */
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

/** One that knows Ann at once, under this id, and vouches for her address. */
export function annsUpstream(id: string): Upstream {
  return {
    id,
    label: id,
    start: async ({ redirectUri, state }) => new URL(`${redirectUri}?state=${state}&code=c`),
    finish: async () => ({
      subject: `ann-at-${id}`,
      login: 'ann',
      email: 'ann@example.com',
      emailVerified: true,
    }),
  }
}
