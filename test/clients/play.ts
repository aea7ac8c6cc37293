/** Plays a profile over HTTP, from its first request to its last, as far as anybody knows what it does. */
import { expect } from 'vitest'
import { matchRedirectUri } from '../../src/oauth/redirect-uri.ts'
import type { AuthMethod, ClientProfile, Revision } from '../../src/profiles/profile.ts'
import type { Browser } from '../helpers/browser.ts'
import { approve, type Live } from '../helpers/live.ts'
import {
  authorizePath,
  challenge,
  postForm,
  type Registered,
  type TokenAnswer,
  verifier,
} from '../helpers/oauth-client.ts'
import { addNote, listTools, type Refused } from './calls.ts'
import { type Discovered, discover } from './discover.ts'
import { findDocumentRedirects } from './documents.ts'
import type { ProvenStep } from './results.ts'

/** How a client comes to a client id. */
export type Way = ClientProfile['identification']['order'][number]

/** Where a profile is played, and by whom. */
export interface Stage {
  readonly live: Live
  /** A person's browser. */
  readonly browser: Browser
}

/** The client in the middle of a play. */
interface Play extends Stage {
  readonly profile: ClientProfile
  readonly revision: Revision
  readonly found: Discovered
  readonly client: Registered
  readonly redirectUri: string
}

/** The client that an owner made by hand for a profile. */
export function toOwnClient({ id, redirects, identification, tokens }: ClientProfile) {
  const [first] = tokens.authenticates
  const method: AuthMethod = first === 'private_key_jwt' || first === undefined ? 'none' : first
  return {
    id: `typed-in-${id}`,
    ...(method !== 'none' && { secret: `the secret of ${id}` }),
    redirectUris: redirects.uris ?? identification.registration?.redirect_uris ?? [],
    tokenEndpointAuthMethod: method,
  }
}

/** The ways that enough is known of to play them, the client's first choice first. */
export function listWays(profile: ClientProfile): Way[] {
  const { order, registration } = profile.identification
  const isPlayable: Record<Way, boolean> = {
    document: findDocumentRedirects(profile) !== undefined,
    registration: registration !== undefined,
    'typed-in': toOwnClient(profile).redirectUris.length > 0,
  }
  return order.filter((way) => isPlayable[way])
}

/** Plays a profile; the steps that it completed. Fails when one that it takes does not succeed. */
export async function playClient(
  profile: ClientProfile,
  revision: Revision,
  stage: Stage,
  way: Way | undefined = listWays(profile)[0],
): Promise<ProvenStep[]> {
  const found = await discover(profile, stage.live.url)
  if (way === undefined) return ['discovery']
  const client = await identify(profile, way, found, stage)
  const redirectUri = chooseRedirect(profile, way, client.redirect_uris)
  const play: Play = { ...stage, profile, revision, found, client, redirectUri }

  const tokens = await signIn(play, found.scopes)
  expect(await listTools(stage.live.url, revision, tokens.access_token)).toContain('add_note')
  const refreshed = await refreshAtOnce(play, tokens.refresh_token)
  expect(await listTools(stage.live.url, revision, refreshed.access_token)).toContain('add_note')
  const stepped = await stepUp(play, refreshed)
  await revoke(play, refreshed)
  return [
    'discovery',
    ...(way === 'typed-in' ? [] : (['registration'] as const)),
    'authorize',
    'token',
    'refresh',
    ...(stepped ? (['step-up'] as const) : []),
    'revoke',
  ]
}

/** The one that the profile says is used, where it is good for this way to a client id. */
function chooseRedirect(
  { redirects, identification }: ClientProfile,
  way: Way,
  allowed: readonly string[],
): string {
  const own = way === 'document' ? identification.document?.redirectUri : undefined
  if (own !== undefined) return own
  const [first = ''] = allowed
  try {
    return matchRedirectUri(redirects.used, allowed)
  } catch {
    return first
  }
}

async function identify(
  profile: ClientProfile,
  way: Way,
  { metadata, scopes }: Discovered,
  { live }: Stage,
): Promise<Registered> {
  if (way === 'typed-in') {
    const { id, secret, redirectUris, tokenEndpointAuthMethod } = toOwnClient(profile)
    return {
      client_id: id,
      ...(secret && { client_secret: secret }),
      redirect_uris: [...redirectUris],
      token_endpoint_auth_method: tokenEndpointAuthMethod,
    }
  }
  if (way === 'document') {
    const { document } = profile.identification
    expect(metadata['client_id_metadata_document_supported']).toBe(true)
    expect(metadata['token_endpoint_auth_methods_supported']).toContain('none')
    return {
      client_id: document?.ids[0] ?? '',
      redirect_uris: [...(findDocumentRedirects(profile) ?? [])],
      token_endpoint_auth_method: 'none',
    }
  }
  const { registration, prefersMethods = [], registersScope } = profile.identification
  const listed = metadata['token_endpoint_auth_methods_supported'] as string[]
  const method = prefersMethods.find((name) => listed.includes(name))
  const body = {
    ...registration,
    ...(method && { token_endpoint_auth_method: method }),
    ...(registersScope && { scope: scopes.join(' ') }),
  }
  const answer = await fetch(String(metadata['registration_endpoint']), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  expect(answer.status, `${live.issuer}: ${text}`).toBe(201)
  expect(text).not.toContain('null')
  const client = JSON.parse(text) as Registered
  expect(client.redirect_uris).toEqual(registration?.redirect_uris)
  return client
}

/** The authorization request, the person, the code. */
async function signIn(play: Play, scopes: readonly string[]): Promise<TokenAnswer['body']> {
  const { profile, live, browser, client, redirectUri } = play
  const { extra, promptsForOffline } = profile.authorization
  const asksForOffline = promptsForOffline === true && scopes.includes('offline_access')
  const request = authorizePath(client, {
    redirect_uri: redirectUri,
    code_challenge: challenge,
    state: 'oauth_s_0a1b2c3d',
    scope: scopes.length > 0 ? scopes.join(' ') : undefined,
    resource: toResource(play),
    prompt: asksForOffline ? 'consent' : undefined,
    ...extra,
  })
  const back = await approve(browser, live.issuer + request)
  expect(back.url.href.startsWith(redirectUri), `${back.status} ${back.text}`).toBe(true)
  expect(back.url.searchParams.getAll('iss')).toEqual([live.issuer])
  const answer = await ask(play, '/token', {
    grant_type: 'authorization_code',
    code: back.url.searchParams.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: redirectUri,
    resource: toResource(play),
  })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.body).toMatchObject({ token_type: 'Bearer', scope: expect.any(String) })
  expect(answer.body.refresh_token).toBeTypeOf('string')
  expect(Number.isInteger(answer.body.expires_in)).toBe(true)
  return answer.body
}

/** Five requests with one refresh token get one successor (RF-02); one, where the client waits for itself. */
async function refreshAtOnce(
  play: Play,
  refreshToken: string | undefined,
): Promise<TokenAnswer['body']> {
  const { profile, found } = play
  const { refreshesInParallel, refreshesWithScope } = profile.tokens
  const answers = await Promise.all(
    Array.from({ length: refreshesInParallel ? 5 : 1 }, () =>
      ask(play, '/token', {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        resource: toResource(play),
        scope: refreshesWithScope ? found.scopes.join(' ') : undefined,
      }),
    ),
  )
  for (const { status, body } of answers) expect(status, JSON.stringify(body)).toBe(200)
  expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
  return answers.at(-1)?.body ?? {}
}

/** Is refused, asks for what it was told to ask for, and is let through. Whether that could be played. */
async function stepUp(play: Play, tokens: TokenAnswer['body']): Promise<boolean> {
  const { profile, live, revision, found } = play
  const { stepUp: told } = profile.authorization
  if (told === undefined) return false
  const isFull = tokens.scope?.split(' ').includes('notes:write')
  const less = isFull ? await signIn(play, ['notes:read']) : tokens
  const refused: Refused = await addNote(live.url, revision, less.access_token)
  expect(refused).toMatchObject({ told, error: 'insufficient_scope' })
  const scopes = new Set([...found.scopes, ...refused.scopes])
  const more = await signIn(play, [...scopes])
  const done = await addNote(live.url, revision, more.access_token)
  expect(done.text).toContain('Added note')
  return true
}

/** Gives the grant up; nothing of it is good for anything then. */
async function revoke(play: Play, tokens: TokenAnswer['body']): Promise<void> {
  const answer = await ask(play, '/revoke', {
    token: tokens.refresh_token,
    token_type_hint: 'refresh_token',
  })
  expect(answer.status).toBe(200)
  const again = await ask(play, '/token', {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token,
  })
  expect(again).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  await expect(listTools(play.live.url, play.revision, tokens.access_token)).rejects.toThrow()
}

/** Posts a form with the client's credentials as its engine writes them. */
function ask(
  { live, client, profile }: Play,
  path: string,
  fields: Record<string, string | undefined>,
): Promise<TokenAnswer> {
  const { client_id: id, client_secret: secret = '', token_endpoint_auth_method: method } = client
  const send = (to: string, init?: RequestInit) => fetch(live.issuer + to, init)
  if (method === 'none') return postForm(send, path, { ...fields, client_id: id })
  if (method === 'client_secret_post') {
    return postForm(send, path, { ...fields, client_id: id, client_secret: secret })
  }
  const encode = profile.tokens.encodesBasic ? encodeURIComponent : String
  const authorization = `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}`
  return postForm(send, path, fields, { authorization })
}

function toResource({ profile, found }: Play): string | undefined {
  const { resource, resourceEndsInSlash } = profile.authorization
  if (resource === 'none') return undefined
  return resourceEndsInSlash ? `${found.resource}/` : found.resource
}
