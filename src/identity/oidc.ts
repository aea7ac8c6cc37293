/**
 * Sign-in through any OpenID provider, over openid-client.
 *
 * The code flow with PKCE S256, `state` and `nonce` (catalogue UP-05), an ID token that is verified in
 * full (UP-06), and an identity from nothing but what this very exchange yielded (UP-07). How one provider
 * differs from the next is told by options and quirks; nothing here knows a provider's name.
 */
import { OAuthError } from '../errors.ts'
import { admit } from './admit.ts'
import { toRegisteredCallback, verifyCallback } from './callback.ts'
import { createOidcDocuments, type OidcParty } from './oidc-documents.ts'
import { type OidcExchange, openExchange } from './oidc-exchange.ts'
import { verifyIdToken } from './oidc-id-token.ts'
import { mergeClaims, toIdentity } from './oidc-identity.ts'
import {
  type Claims,
  type OidcOptions,
  type OidcProvider,
  type OidcQuirks,
  toOidcProvider,
} from './oidc-options.ts'
import { findOidcProblem } from './oidc-problem.ts'
import { toAuthorizationUrl } from './oidc-request.ts'
import { endTokens, type RefreshableTokens, spendRefreshToken } from './provider-connection.ts'
import {
  grantEnded,
  nonsense,
  strayCallback,
  toCustodyError,
  toProviderError,
} from './provider-errors.ts'
import { type TokenAnswer, toUpstreamTokens } from './token-response.ts'
import type { Identity, Upstream, UpstreamFlow, UpstreamTokens } from './upstream.ts'

/**
 * The OpenID provider that these options describe. Nothing is fetched until somebody signs in.
 *
 * @param quirks for presets: what its documents do not say about the provider
 * @throws TypeError when an option is malformed; an `http:` issuer is for emulators on loopback only
 */
export function oidc(options: OidcOptions, quirks: OidcQuirks = {}): Upstream {
  const provider = toOidcProvider(options, quirks)
  const party = { provider, documents: createOidcDocuments(provider) }
  const { id, label, issuer } = provider
  return {
    id,
    label,
    issuer,
    ...(options.callbackPath !== undefined && { callbackPath: options.callbackPath }),
    start: (flow, wishes = {}) =>
      guard(toProviderError, label, async () => {
        const asked = speakAs(party, flow)
        return toAuthorizationUrl(asked.provider, await openExchange(asked), flow, wishes)
      }),
    finish: (callback, flow) =>
      guard(toProviderError, label, () => finish(speakAs(party, flow), callback, flow)),
    refresh: (tokens) => keep(party, tokens, (as) => refresh(as, tokens)),
    reverify: (tokens, onRenewed) => keep(party, tokens, (as) => reverify(as, tokens, onRenewed)),
    revoke: (tokens) => revokeTokens(party, tokens),
    findProblem: (callbackUri) => findOidcProblem(party, callbackUri),
  }
}

async function guard<T>(
  toError: (label: string, error: unknown) => Error,
  label: string,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw toError(label, error)
  }
}

/** The provider as it knows one application of ours, which is public; without one, as it is. */
function speakAs(
  party: OidcParty,
  { application }: { readonly application?: string | undefined },
): OidcParty {
  if (application === undefined) return party
  const provider = {
    ...party.provider,
    clientId: application,
    clientSecret: undefined,
    clientAuthentication: undefined,
  }
  return { ...party, provider }
}

/**
 * A call with tokens that we keep, in the name of the application that they were given to. One that the
 * provider knows no more has taken its tokens with it.
 */
async function keep<T>(
  party: OidcParty,
  tokens: UpstreamTokens,
  call: (as: OidcParty) => Promise<T>,
): Promise<T> {
  const { label } = party.provider
  try {
    return await guard(toCustodyError, label, () => call(speakAs(party, tokens)))
  } catch (error) {
    throw tokens.application !== undefined && isUnknownClient(error) ? grantEnded(label) : error
  }
}

function isUnknownClient(error: unknown): boolean {
  return error instanceof OAuthError && error.reason === 'upstream_misconfigured'
}

/** What ended together with its application, or by itself, is revoked. */
async function revokeTokens(party: OidcParty, tokens: UpstreamTokens): Promise<void> {
  try {
    await keep(party, tokens, (as) => revoke(as, tokens))
  } catch (error) {
    const isGone = error instanceof OAuthError && error.code === 'invalid_grant'
    if (!(isGone && tokens.application !== undefined)) throw error
  }
}

async function finish(party: OidcParty, callback: URL, flow: UpstreamFlow): Promise<Identity> {
  const { provider } = party
  verifyCallback(provider, callback, flow)
  const exchange = await openExchange(party)
  verifySpeakerNamed(provider, exchange, callback)
  const { client, configuration } = exchange
  const answer = await client.authorizationCodeGrant(
    configuration,
    toRegisteredCallback(callback, flow),
    {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.codeVerifier,
      idTokenExpected: true,
    },
  )
  const claims = await readIdToken(party, answer, answer.claims())
  const identity = await identify(provider, exchange, claims, answer.access_token)
  const tokens = toGivenTokens(toUpstreamTokens(answer, provider.clock), flow)
  return admit(provider.label, provider.admission, { ...identity, tokens })
}

/** A provider that says it names itself in every callback is held to it (RFC 9207 §2.4). */
function verifySpeakerNamed(
  { label }: OidcProvider,
  { metadata }: OidcExchange,
  callback: URL,
): void {
  if (!metadata.authorization_response_iss_parameter_supported) return
  if (!callback.searchParams.has('iss')) throw strayCallback(label, 'upstream_issuer_missing')
}

async function refresh(party: OidcParty, tokens: RefreshableTokens): Promise<UpstreamTokens> {
  const exchange = await openExchange(party)
  const refreshed = await spendRefreshToken(exchange, tokens, party.provider.clock)
  return toGivenTokens(refreshed.tokens, tokens)
}

/** Tokens with the application that they were given to. */
function toGivenTokens(
  tokens: UpstreamTokens,
  { application }: { readonly application?: string | undefined },
): UpstreamTokens {
  return application === undefined ? tokens : { ...tokens, application }
}

/**
 * The keys are read first: once the refresh token is spent, little may go wrong. A provider that answers
 * without an ID token (OpenID Connect Core §12.2) says nothing of the person: only a sign-in does.
 */
async function reverify(
  party: OidcParty,
  tokens: UpstreamTokens,
  onRenewed?: (renewed: UpstreamTokens) => void,
): Promise<Identity> {
  const { provider, documents } = party
  const { label, admission, reverifyWith } = provider
  const exchange = await openExchange(party)
  if (reverifyWith === 'userinfo' && exchange.metadata.userinfo_endpoint !== undefined) {
    const claims = await readUserinfo(exchange, tokens.accessToken)
    return admit(label, admission, toIdentity(provider, claims))
  }
  const { refreshToken } = tokens
  if (refreshToken === undefined) throw grantEnded(label)
  await documents.keys.read()
  const spendable = { ...tokens, refreshToken }
  const { answer, tokens: fresh } = await spendRefreshToken(exchange, spendable, provider.clock)
  const renewed = toGivenTokens(fresh, tokens)
  onRenewed?.(renewed)
  if (answer.id_token === undefined) throw grantEnded(label)
  const claims = await readIdToken(party, answer, answer.claims())
  return admit(label, admission, { ...toIdentity(provider, claims), tokens: renewed })
}

/** Nothing where the provider has no endpoint for it. */
async function revoke(party: OidcParty, tokens: UpstreamTokens): Promise<void> {
  const exchange = await openExchange(party)
  if (exchange.metadata.revocation_endpoint !== undefined) await endTokens(exchange, tokens)
}

async function readIdToken(
  party: OidcParty,
  answer: TokenAnswer & { readonly id_token?: string | undefined },
  claims: Claims | undefined,
): Promise<Claims> {
  const { id_token: idToken, access_token: accessToken } = answer
  if (idToken === undefined || claims === undefined) {
    throw nonsense(party.provider.label, 'upstream_id_token_missing')
  }
  await verifyIdToken(party, { idToken, accessToken, claims })
  return claims
}

async function identify(
  provider: OidcProvider,
  exchange: OidcExchange,
  claims: Claims,
  accessToken: string,
): Promise<Identity> {
  const isComplete = provider.userinfoClaims.every((name) => claims[name] !== undefined)
  if (isComplete || exchange.metadata.userinfo_endpoint === undefined) {
    return toIdentity(provider, claims)
  }
  const userinfo = await readUserinfo(exchange, accessToken, String(claims.sub))
  return toIdentity(provider, mergeClaims(claims, userinfo))
}

/** The subject is that of the ID token, where there is one (OpenID Connect Core §5.3.2). */
function readUserinfo(
  { client, configuration }: OidcExchange,
  accessToken: string,
  subject?: string,
): Promise<Claims> {
  return client.fetchUserInfo(configuration, accessToken, subject ?? client.skipSubjectCheck)
}
