/** `registration` in the configuration: what each mode needs, and the options it becomes (R2, R8). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { toRegistrationOptions } from '../../src/operate/config/registration.ts'
import { verifiesThat } from '../verifies.ts'

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
  AUTH0_DOMAIN: 'example.eu.auth0.com',
  AUTH0_CLIENT_ID: 'id',
  AUTH0_CLIENT_SECRET: 'secret',
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
    [{ GATEHOUSE_REGISTRATION_MODE: 'static' }, 'gatehouse clients add --public --id chatgpt'],
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

  it.each([
    [{ GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'a' }, 'is for mode static'],
    [{ ...verify, GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'a' }, 'is for mode static'],
    [{ ...auth0, GATEHOUSE_DYNAMIC_REGISTRATION: 'false' }, 'contradicts dynamicRegistration'],
    [
      { ...auth0, AUTH0_DOMAIN: '', AUTH0_CLIENT_ID: '', AUTH0_CLIENT_SECRET: '' },
      'provider auth0',
    ],
  ])('%j does not silently do something else', (env, words) => {
    const loaded = load(env)
    expect(loaded.ok).toBe(false)
    expect(JSON.stringify(loaded)).toContain(words)
  })
})

describe('clientMetadataDocuments', () => {
  const name = 'GATEHOUSE_CLIENT_METADATA_DOCUMENTS'

  it.each([
    ['true', true],
    ['false', false],
    [
      '{ hosts: [claude.ai, "client.example:8443"] }',
      { hosts: ['claude.ai', 'client.example:8443'] },
    ],
  ])('may be %s', (value, expected) => {
    const loaded = load({ [name]: value })
    expect(loaded.ok && loaded.settings.clientMetadataDocuments).toEqual(expected)
  })

  it.each([
    [{ [name]: '{ hosts: [] }' }, 'must not be empty'],
    [{ [name]: '{ hosts: ["https://claude.ai"] }' }, 'must be a host such as claude.ai'],
    [{ [name]: '{ hosts: ["*.claude.ai"] }' }, 'must be a host such as claude.ai'],
    [{ [name]: '{ host: claude.ai }' }, 'must be true, false, or { hosts'],
    [{ [name]: 'true', ...verify }, 'contradicts clientMetadataDocuments'],
    [{ [name]: '{ hosts: [claude.ai] }', ...auth0 }, 'contradicts clientMetadataDocuments'],
  ])('%j is a problem that says so', (env, words) => {
    const loaded = load(env)
    expect(loaded.ok).toBe(false)
    expect(JSON.stringify(loaded)).toContain(words)
  })

  it('that is off contradicts no mode', () => {
    expect(load({ [name]: 'false', ...auth0 }).ok).toBe(true)
  })
})

describe('OAUTH_USE_DYNAMIC_REGISTRATION', () => {
  const provider = { OAUTH_ISSUER: 'https://id.example', OAUTH_CLIENT_ID: 'upstream-id' }
  const deployment = { ...provider, OAUTH_CLIENT_SECRET: 'upstream-secret' }
  const named = { GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID: 'chatgpt' }

  verifiesThat('R2', 'false is static and true is dynamic, with both prefixes', async () => {
    const choose = (value: string, prefix = '') =>
      toOptions({ ...deployment, [`${prefix}OAUTH_USE_DYNAMIC_REGISTRATION`]: value })
    expect(await choose('true')).toEqual({ mode: 'dynamic' })
    const fixed = { ...deployment, ...named, MCP_OAUTH_USE_DYNAMIC_REGISTRATION: 'false' }
    expect(await toOptions(fixed)).toEqual({ mode: 'static', clientId: 'chatgpt' })
  })

  it('without a client to hand out says how to name and make one, and never hands out that of the provider', () => {
    const loaded = load({ ...deployment, OAUTH_USE_DYNAMIC_REGISTRATION: 'false' })
    const text = JSON.stringify(loaded)
    expect(loaded.ok).toBe(false)
    expect(text).toContain('GATEHOUSE_REGISTRATION_STATIC_CLIENT_ID')
    expect(text).toContain('gatehouse clients add --public --id chatgpt --redirect-uri')
    expect(text).not.toContain('upstream-id')
  })

  it.each([
    {
      yaml: 'registration: { mode: management }',
      value: 'true',
      other: 'registration.mode manage',
    },
    {
      yaml: 'registration: { mode: dynamic, static: { clientId: a } }',
      value: 'false',
      other: 'registration.mode dynamic',
    },
    { yaml: 'dynamicRegistration: false', value: 'true', other: 'dynamicRegistration is false' },
  ])('$value against "$yaml" stops the start and names both', async ({ yaml, value, other }) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-registration-'))
    const file = join(folder, 'gatehouse.yaml')
    await writeFile(file, yaml)
    const env = { OAUTH_USE_DYNAMIC_REGISTRATION: value }
    const loaded = loadConfig({ file, env })
    await rm(folder, { recursive: true })
    const text = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n')
    expect(text).toContain(`OAUTH_USE_DYNAMIC_REGISTRATION`)
    expect(text).toContain(other)
  })

  it('against the mode of our own name in the environment is a contradiction', () => {
    const env = { GATEHOUSE_REGISTRATION_MODE: 'verify', OAUTH_USE_DYNAMIC_REGISTRATION: 'true' }
    const loaded = load(env)
    expect(JSON.stringify(loaded)).toContain('has two different values')
  })
})
