/** As whom a login is made, and as whom the client itself would have come: not always the same. */
import type { Way } from '../client-requests.ts'
import type { LoginPlan } from './login-visit.ts'

/** How the login comes to its client id. */
export function findLoginWay({ client }: Pick<LoginPlan, 'client'>): 'registration' | 'typed-in' {
  return client.clientId === undefined ? 'registration' : 'typed-in'
}

/**
 * What the client would do at this server in place of that; undefined when it would do the same. The doctor
 * comes with nobody's metadata document: the host of the document answers for whoever uses it.
 */
export function findOtherWay({ client, usual }: LoginPlan): Way | undefined {
  return usual === undefined || usual.kind === findLoginWay({ client }) ? undefined : usual
}

/** Both in a sentence for the person. */
export function explainIdentity(plan: LoginPlan): string {
  const { name } = plan.client
  const done =
    findLoginWay(plan) === 'registration'
      ? 'The doctor registered a client of its own for this'
      : 'The doctor used the client id that was typed in'
  const other = findOtherWay(plan)
  return other === undefined ? `${done}.` : `${done}; ${name} itself ${tell(other)}.`
}

function tell(way: Way): string {
  if (way.kind === 'document') {
    return `comes with its metadata document, ${way.id}, which the doctor does not use behind the sign-in`
  }
  if (way.kind === 'registration') return 'registers here'
  return 'comes to no client id here unless somebody types one in'
}
