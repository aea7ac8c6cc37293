/**
 * The login of `gatehouse doctor --login`: everything that a client does between "Connect" and "Disconnect",
 * with a person at the one step that needs a person. At most 16 requests. What it made it takes away again:
 * the grant is revoked and the registration removed, also when it stops half-way.
 */
import { sha256 } from '../platform/crypto.ts'
import {
  type Login,
  type LoginPorts,
  nameKeys,
  nameParameters,
  nameSecrets,
  observeOpenly,
} from './login/login-ports.ts'
import {
  createAuthorizationUrl,
  createRegistration,
  createRemoval,
  createTokenRequest,
  type IdentifiedClient,
  toBasic,
} from './login/login-requests.ts'
import type { Callback, LoginPlan, LoginVisit } from './login/login-visit.ts'
import { hasToken, readClaims, readFields, readText } from './login/read-answers.ts'
import { createSecretNames, type SecretNames } from './login/secret-names.ts'
import { endGrant, refreshTwice, useToken } from './login/token-life.ts'

/** What has been seen so far. */
type Notes = { -readonly [Member in keyof LoginVisit]: LoginVisit[Member] }

/** Logs in and out again. Never throws: what went wrong is what it returns. */
export async function walkLogin(plan: LoginPlan, given: LoginPorts): Promise<LoginVisit> {
  const secrets = createSecretNames()
  nameKeys(plan.url, secrets)
  const notes: Notes = { plan, requests: 0 }
  let last = ''
  let sent = 0
  const ports: LoginPorts = {
    ...given,
    send: (request, options) => {
      sent += 1
      return given.send(request, options)
    },
  }
  const send: Login['send'] = (step, request) => {
    if (step !== last) ports.onStep(step)
    last = step
    return observeOpenly(ports.send, request)
  }
  const client = await identify({ plan, ports, secrets, send }, notes)
  if (client !== undefined) {
    notes.clientId = client.id
    const login = { plan, ports, secrets, send, client }
    await walkTokens(login, notes)
    if (client.management)
      notes.removal = await send('Removing the registration', createRemoval(client.management))
  }
  const ended = notes.ended ?? (ports.signal.aborted ? 'interrupted' : undefined)
  return secrets.mask({ ...notes, ...(ended && { ended }), requests: sent })
}

async function walkTokens(login: Login, notes: Notes): Promise<void> {
  const { ports, secrets } = login
  const code = await authorize(login, notes)
  if (code === undefined) return
  const token = await login.send('Asking for a token', code)
  notes.token = token
  notes.tokenAt = ports.now()
  nameSecrets(token, secrets)
  const accessToken = readText(token, 'access_token')
  if (!hasToken(token) || accessToken === undefined) return
  notes.claims = readClaims(accessToken)
  let newest = { accessToken, refreshToken: readText(token, 'refresh_token') }
  if (!ports.signal.aborted) notes.use = await useToken(login, accessToken)
  if (!ports.signal.aborted && newest.refreshToken !== undefined) {
    const refreshed = await refreshTwice(login, newest.refreshToken, notes.use)
    notes.refreshes = refreshed.seen
    newest = { ...newest, ...refreshed.newest }
  }
  notes.ending = await endGrant(login, newest, notes.use)
}

async function identify(
  { plan, ports, secrets, send }: Omit<Login, 'client'>,
  notes: Notes,
): Promise<IdentifiedClient | undefined> {
  const { client, endpoints } = plan
  const { host, path } = client.redirect ?? { host: '127.0.0.1', path: '/callback' }
  const redirectUri = `http://${host}:${ports.callbackPort}${path}`
  if (client.clientId !== undefined) {
    const secret = secrets.name('client secret', client.clientSecret)
    return nameBasic({ id: client.clientId, secret, redirectUri, method: toMethod(plan) }, secrets)
  }
  if (endpoints.registration === undefined) return undefined
  const request = createRegistration(plan, endpoints.registration, redirectUri)
  const answer = await send('Registering', request)
  notes.registration = answer
  nameSecrets(answer, secrets)
  const id = readText(answer, 'client_id')
  if (id === undefined) return undefined
  const secret = readText(answer, 'client_secret')
  const token = readText(answer, 'registration_access_token')
  const uri = readText(answer, 'registration_client_uri')
  const asked = readFields(answer)['token_endpoint_auth_method']
  const method = typeof asked === 'string' ? asked : secret === undefined ? 'none' : toMethod(plan)
  const management = isOurs(uri, endpoints.registration) && token ? { uri, token } : undefined
  return nameBasic({ id, secret, redirectUri, method, management }, secrets)
}

/** The token goes to the server that gave it, and to no other. */
function isOurs(uri: string | undefined, endpoint: string): uri is string {
  return uri !== undefined && URL.parse(uri)?.origin === new URL(endpoint).origin
}

function nameBasic(client: IdentifiedClient, secrets: SecretNames): IdentifiedClient {
  if (client.secret !== undefined)
    secrets.name('client credentials', toBasic(client.id, client.secret))
  return client
}

/** How a client with a secret authenticates: as RFC 8414 has it where nothing is said. */
function toMethod({ client, authenticationMethods }: LoginPlan): string {
  if (client.clientSecret === undefined && client.clientId !== undefined) return 'none'
  const listed = authenticationMethods.find((method) => method.startsWith('client_secret_'))
  return listed ?? 'client_secret_basic'
}

/** Sends the person off and waits for them; returns the request that trades the code, if one came. */
async function authorize({ plan, ports, secrets, client }: Login, notes: Notes) {
  const state = secrets.name('state', ports.random(24))
  const verifier = secrets.name('code verifier', ports.random(32))
  const url = createAuthorizationUrl(plan, client, { state, challenge: sha256(verifier) })
  notes.authorizationUrl = url
  ports.onStep('Waiting for you to sign in and allow, in the browser')
  ports.openPage(url)
  const came = await ports.waitForCallback(new URL(client.redirectUri).pathname)
  if (typeof came === 'string') {
    notes.ended = came
    return undefined
  }
  notes.callback = readCallback(new URL(client.redirectUri + came.search), state)
  nameParameters(came.searchParams, secrets)
  const code = secrets.name('code', came.searchParams.get('code'))
  // A foreign state may be somebody else's code: no client would trade it, and we do not either.
  if (code === null || !notes.callback.isStateOurs || ports.signal.aborted) return undefined
  if (isFromElsewhere(notes.callback, plan)) return undefined
  return createTokenRequest(plan.endpoints.token, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
    code_verifier: verifier,
    resource: plan.client.sendsResource ? plan.resource : undefined,
  })
}

/**
 * Whether another server gave the code: metadata may send the person to one and ask us to bring its code, and
 * a secret, somewhere else (RFC 9207 §1). A slash too many is a fault of its own and no danger.
 */
function isFromElsewhere({ iss }: Callback, { issuer }: LoginPlan): boolean {
  return iss !== undefined && URL.parse(iss)?.origin !== URL.parse(issuer)?.origin
}

function readCallback(url: URL, state: string): Callback {
  const { searchParams: parameters } = url
  return {
    url: url.href,
    hasCode: parameters.has('code'),
    isStateOurs: parameters.get('state') === state,
    iss: parameters.get('iss') ?? undefined,
    error: parameters.get('error') ?? undefined,
    errorDescription: parameters.get('error_description') ?? undefined,
  }
}
