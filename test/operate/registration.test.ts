/** `registration` in the configuration: what each mode needs, and the options it becomes (R2, R8). */
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/operate/config/load.ts'
import { toRegistrationOptions } from '../../src/operate/config/registration.ts'

const load = (env: Record<string, string>) =>
  loadConfig({ env: { GATEHOUSE_TO: 'http://127.0.0.1:9/mcp', ...env } })

async function toOptions(env: Record<string, string>) {
  const loaded = load(env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return toRegistrationOptions(loaded.settings.registration)
}

const verify = {
  GATEHOUSE_REGISTRATION_MODE: 'verify',
  GATEHOUSE_REGISTRATION_VERIFY_ISSUER: 'https://example.eu.auth0.com/',
}
const auth0 = {
  GATEHOUSE_REGISTRATION_MODE: 'management',
  GATEHOUSE_REGISTRATION_AUTH0_DOMAIN: 'example.eu.auth0.com',
  GATEHOUSE_REGISTRATION_AUTH0_CLIENT_ID: 'id',
  GATEHOUSE_REGISTRATION_AUTH0_CLIENT_SECRET: 'secret',
}

describe('the mode of registration', () => {
  it('is dynamic unless another one is named', async () => {
    expect(await toOptions({})).toEqual({ mode: 'dynamic' })
  })

  it('static names the client that everyone gets', async () => {
    const env = {
      GATEHOUSE_REGISTRATION_MODE: 'static',
      GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'chatgpt',
    }
    expect(await toOptions(env)).toEqual({ mode: 'static', clientId: 'chatgpt' })
  })

  it('verify keeps the slash of an issuer that has one', async () => {
    const env = {
      ...verify,
      GATEHOUSE_REGISTRATION_VERIFY_AUDIENCE: 'https://api.example.com',
      GATEHOUSE_REGISTRATION_VERIFY_ALGORITHMS: 'RS256, ES256',
      GATEHOUSE_REGISTRATION_VERIFY_REQUIRED_SCOPES: 'notes:read',
    }
    expect(await toOptions(env)).toEqual({
      mode: 'verify',
      issuer: 'https://example.eu.auth0.com/',
      audience: 'https://api.example.com',
      algorithms: ['RS256', 'ES256'],
      requiredScopes: ['notes:read'],
    })
  })

  it('management becomes live applications', async () => {
    const options = await toOptions(auth0)
    expect(options).toMatchObject({ mode: 'management', applications: { label: 'Auth0' } })
    expect(JSON.stringify(options)).not.toContain('secret')
  })

  it.each([
    [{ GATEHOUSE_REGISTRATION_MODE: 'static' }, 'has mode static and no static'],
    [{ GATEHOUSE_REGISTRATION_MODE: 'verify' }, 'has mode verify and no verify'],
    [{ GATEHOUSE_REGISTRATION_MODE: 'management' }, 'has mode management and no auth0'],
    [{ GATEHOUSE_REGISTRATION_MODE: 'open' }, 'static'],
    [{ GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'a/b' }, 'must be the id of a client'],
    [{ ...verify, GATEHOUSE_REGISTRATION_VERIFY_ISSUER: 'http://tenant.example' }, 'https:'],
    [{ ...auth0, GATEHOUSE_REGISTRATION_AUTH0_DOMAIN: 'http://tenant.example' }, 'the domain of'],
    [{ ...auth0, GATEHOUSE_REGISTRATION_AUTH0_DOMAIN: 'a b' }, 'the domain of the tenant'],
  ])('%j is a problem that says so', (env, words) => {
    const loaded = load(env)
    expect(loaded.ok).toBe(false)
    expect(JSON.stringify(loaded)).toContain(words)
  })
})
