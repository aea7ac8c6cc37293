/**
 * Registration access tokens: `ghm_<secret>`, 47 characters (RFC 7592 §1). Stored only as a keyed hash.
 *
 * Each belongs to one client, which reads, changes and removes its own registration with it.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { equalInConstantTime, type Random } from '../../platform/crypto.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import type { Sealer } from '../../storage/sealer.ts'

const header = /^bearer +(ghm_[\w-]{43})$/i

/** What an id can look like; nothing else is looked up or counted. */
const idShape = /^[A-Za-z0-9._~-]{1,128}$/

/** A new token, with a secret of 256 bits. */
export function mintRegistrationToken({ random }: { random: Random }): string {
  return `ghm_${random(32)}`
}

/** What is stored of a token: keyed, so that a stolen store does not even allow guessing. */
export function hashRegistrationToken(
  token: string,
  { sealer }: { sealer: Pick<Sealer, 'index'> },
): string {
  return sealer.index('registration-token', token)
}

/** A client, and the token that proved the right to manage it. */
export interface ManagedClient {
  readonly stored: Stored<Client>
  readonly token: string
}

/**
 * The client of `/register/<client id>`, once the request's token is proven to be the client's own.
 *
 * @throws OAuthError `invalid_token` (401) with the same words for a client that does not exist, one that
 *   nobody manages, and a wrong token (RFC 7592 §2.1, CR-27)
 */
export async function verifyRegistrationToken(
  request: Request,
  context: RequestContext,
): Promise<ManagedClient> {
  const id = new URL(request.url).pathname.split('/').at(-1) ?? ''
  const token = header.exec(request.headers.get('authorization') ?? '')?.[1]
  const stored = idShape.test(id) ? await clients.find(context.store, id) : undefined
  // A client that does not exist costs the same hash as a wrong token, so that ids cannot be enumerated.
  const presented = hashRegistrationToken(token ?? '', context)
  const matches = equalInConstantTime(presented, stored?.value.registrationTokenHash ?? '')
  if (stored && token !== undefined && matches) return { stored, token }

  // Only failures are limited: nobody can lock an honest client out by failing in its name.
  await context.limits.spend('client-auth', `manage ${toPeerNetwork(context.exchange.peer)}`)
  throw refuse(token === undefined, stored === undefined)
}

function refuse(isMissing: boolean, isUnknown: boolean): OAuthError {
  const challenge = 'Bearer realm="registration"'
  return new OAuthError(
    'invalid_token',
    'The registration access token is missing or wrong, or the client was removed: register again',
    {
      reason: isUnknown ? 'registration_unknown' : 'registration_token',
      headers: {
        'www-authenticate': isMissing ? challenge : `${challenge}, error="invalid_token"`,
      },
    },
  )
}
