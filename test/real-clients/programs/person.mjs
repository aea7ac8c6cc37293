/** What an application around an OAuth library has: a disk, a browser to open, a port on which the person comes back. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const file = 'saved.json'

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

/** Keeps a value for later runs. */
export function save(name, value) {
  writeFileSync(file, JSON.stringify({ ...read(), [name]: value }))
}

/** A value kept by this run or an earlier one. */
export function load(name) {
  return read()[name]
}

/** Opens the browser as desktop programs do. */
export function openBrowser(url) {
  execFile('xdg-open', [String(url)])
}

/** Listens for the browser's return; `wait` resolves with its parameters. */
export async function listenForCallback() {
  let arrive
  const arrived = new Promise((resolve) => {
    arrive = resolve
  })
  const server = createServer(({ url }, response) => {
    response.end('Signed in\n')
    arrive(new URL(url, 'http://localhost').searchParams)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}/callback`,
    wait: () => arrived.finally(() => server.close()),
  }
}

/** The provider that both libraries ask for; its words are those of the MCP SDK. */
export function createProvider(name, redirectUrl) {
  return {
    redirectUrl,
    clientMetadata: {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'state-of-the-application',
    saveState: (state) => save('state', state),
    storedState: () => load('state'),
    clientInformation: () => load('client'),
    isClientInformationDynamicallyRegistered: () => true,
    saveClientInformation: (client) => save('client', client),
    authorizationServerInformation: () => load('server'),
    saveAuthorizationServerInformation: (server) => save('server', server),
    tokens: () => load('tokens'),
    saveTokens: (tokens) => save('tokens', tokens),
    codeVerifier: () => load('verifier'),
    saveCodeVerifier: (verifier) => save('verifier', verifier),
    saveDiscoveryState: (state) => save('discovery', state),
    discoveryState: () => load('discovery'),
    redirectToAuthorization: openBrowser,
  }
}
