/** An identity provider whose callback says who the person is. */
import type { Upstream } from '../../src/identity/upstream.ts'
import { issuer } from './template.ts'

export const people: Upstream = {
  id: 'people',
  label: 'People',
  start: async ({ state }) => new URL(`/callback/people?state=${state}`, issuer),
  finish: async (callback) => {
    const subject = callback.searchParams.get('subject') ?? ''
    return { subject, login: subject }
  },
}
