/** What peers leave to whoever embeds them: a consent page as long as Gatehouse's, and who is signed in. */
import { randomBytes } from 'node:crypto'
import { lanes } from './protocol.ts'

/** A form that posts `fields` to `action`, with spaces up to the wanted length. */
export function renderPage(
  action: string,
  fields: Readonly<Record<string, string>>,
  pageBytes: number,
): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
  )
  return `<form method="post" action="${action}">${inputs.join('')}</form>`.padEnd(pageBytes, ' ')
}

/** People who are signed in. */
export interface Sessions {
  /** `name=value`, one for each lane. */
  readonly cookies: readonly string[]
  /** The person behind the cookies of a request; undefined for strangers. */
  find(cookie: string | null | undefined): string | undefined
}

/** Signs in one person for each lane. */
export function createSessions(): Sessions {
  const people = new Map(
    Array.from({ length: lanes }, (_, n) => [randomBytes(16).toString('hex'), `person-${n}`]),
  )
  return {
    cookies: [...people.keys()].map((id) => `session=${id}`),
    find: (cookie) => people.get(/(?:^|; )session=([^;]+)/.exec(cookie ?? '')?.[1] ?? ''),
  }
}
