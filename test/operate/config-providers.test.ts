/** Identity providers in the configuration: short forms, list, environment, and how they contradict each other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, type Settings } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { loadSettings } from './load-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-providers-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function writeConfig(text: string): Promise<string> {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  return file
}

async function loadText(text: string, env = {}): Promise<Settings> {
  return loadSettings({ file: await writeConfig(text), env })
}

/** All problems of a file, without its name. */
async function findProblems(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const loaded = loadConfig({ file: await writeConfig(text), env })
  if (loaded.ok) return []
  return loaded.problems.map((problem) => renderProblem(problem).replace(`${folder}/`, ''))
}

const github = 'github: { clientId: gh, clientSecret: s }\n'
const google = 'google: { clientId: go, clientSecret: s }\n'

describe('providers', () => {
  it('come from short forms, whose id is their type, and from the list, in this order (A8)', async () => {
    await writeFile(join(folder, 'okta.secret'), 'from-a-file\n')
    const { providers } = await loadText(
      `
providers:
  - type: okta
    issuer: https://acme.okta.com/oauth2/default
    clientId: ok
    clientSecret: { file: okta.secret }
  - { type: oidc, id: staff, label: Staff, issuer: https://id.example.com, clientId: st, clientSecret: { env: STAFF } }
google: { clientId: go, clientSecret: s }
`,
      { STAFF: 'from-the-environment' },
    )
    expect(providers).toMatchObject([
      { type: 'google', id: 'google', clientId: 'go' },
      { type: 'okta', id: 'okta', clientSecret: 'from-a-file' },
      { type: 'oidc', id: 'staff', label: 'Staff', clientSecret: 'from-the-environment' },
    ])
  })

  it.each([
    {
      env: {
        GITHUB_CLIENT_ID: 'a',
        OAUTH_GITHUB_CLIENT_SECRET: 'b',
        GITHUB_ALLOWED_TEAM: 'acme/ops',
      },
      provider: { type: 'github', admission: { teams: ['acme/ops'] } },
    },
    {
      env: {
        GOOGLE_CLIENT_ID: 'a',
        MCP_OAUTH_GOOGLE_CLIENT_SECRET: 'b',
        GOOGLE_ALLOWED_DOMAIN: 'x.example',
      },
      provider: { type: 'google', admission: { domains: ['x.example'] } },
    },
    {
      env: {
        AUTH0_DOMAIN: 'acme.auth0.com',
        AUTH0_CLIENT_ID: 'a',
        AUTH0_CLIENT_SECRET: 'b',
        AUTH0_AUDIENCE: 'c',
      },
      provider: { type: 'auth0', domain: 'acme.auth0.com', audience: 'c' },
    },
    {
      env: { AUTH0_DOMAIN: 'acme.auth0.com', OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' },
      provider: { type: 'auth0' },
    },
    {
      env: { OKTA_ISSUER: 'https://acme.okta.com', OKTA_CLIENT_ID: 'a', OKTA_CLIENT_SECRET: 'b' },
      provider: { type: 'okta', issuer: 'https://acme.okta.com' },
    },
    {
      env: { ENTRA_TENANT_ID: 't', ENTRA_CLIENT_ID: 'a', ENTRA_CLIENT_SECRET: 'b' },
      provider: { type: 'entra', tenant: 't' },
    },
    {
      env: {
        ENTRA_TENANT_ID: 't',
        AZURE_CLIENT_ID: 'a',
        AZURE_CLIENT_SECRET: 'b',
        AZURE_TENANT_ID: 'u',
      },
      provider: { type: 'entra', tenant: 't' },
    },
    {
      env: {
        MCP_OAUTH_ISSUER: 'https://id.example.com',
        OAUTH_CLIENT_ID: 'a',
        MCP_OAUTH_CLIENT_SECRET: 'b',
        OAUTH_AUDIENCE: 'api',
      },
      provider: { type: 'oidc', issuer: 'https://id.example.com', audience: 'api' },
    },
  ])('$provider.type comes from the environment alone (R1, S1)', ({ env, provider }) => {
    expect(loadSettings({ env }).providers).toMatchObject([
      { ...provider, clientId: 'a', clientSecret: 'b' },
    ])
  })

  it('are not chosen by names that mean other things as well', () => {
    const env = {
      AZURE_TENANT_ID: 't',
      AZURE_CLIENT_ID: 'a',
      AZURE_CLIENT_SECRET: 'b',
      OAUTH_CLIENT_ID: 'abc',
      OAUTH_CLIENT_SECRET: 'b',
      OAUTH_AUDIENCE: 'c',
    }
    expect(loadSettings({ env }).providers).toEqual([])
  })

  it('do not take what only fills in where something stronger says it', async () => {
    const text =
      'entra: { tenant: t, clientId: file, clientSecret: { env: AZURE_CLIENT_SECRET } }\n'
    const env = { AZURE_CLIENT_ID: 'other', AZURE_CLIENT_SECRET: 'b' }
    expect((await loadText(text, env)).providers).toMatchObject([{ clientId: 'file' }])
  })

  it('are told what is missing, with the names that give it', async () => {
    expect(
      await findProblems('okta: { clientId: a }\n', { OAUTH_ISSUER: 'https://x.example' }),
    ).toEqual([
      'gatehouse.yaml:1:7: okta.clientSecret is missing; give it in the configuration file, or as OKTA_CLIENT_SECRET or GATEHOUSE_OKTA_CLIENT_SECRET',
      'gatehouse.yaml:1:7: okta.issuer is missing; give it in the configuration file, or as OKTA_ISSUER or GATEHOUSE_OKTA_ISSUER',
      'OAUTH_ISSUER: oidc.clientId is missing; give it in the configuration file, or as OAUTH_CLIENT_ID or GATEHOUSE_OIDC_CLIENT_ID',
      'OAUTH_ISSUER: oidc.clientSecret is missing; give it in the configuration file, or as OAUTH_CLIENT_SECRET or GATEHOUSE_OIDC_CLIENT_SECRET',
    ])
  })

  it('say which types there are, and what a misspelt setting was meant to be', async () => {
    const text = `providers:
  - { type: gogle, clientId: a, clientSecret: b }
  - { type: google, clientId: a, clientSecret: b, alow: {} }
`
    expect(await findProblems(text)).toEqual([
      'gatehouse.yaml:2:13: providers[0].type must be one of github, google, auth0, okta, entra, oidc, oauth2',
      'gatehouse.yaml:3:57: providers[1].alow is not a setting; did you mean providers[1].allow?',
    ])
  })
})

describe('rules about who may enter', () => {
  it('hold everywhere when they stand at the top, but for providers with an allow of their own (R4)', async () => {
    const { providers } = await loadText(
      `${google}allow: { emails: [ann@example.com] }
deny: { domains: [bad.example] }
github:
  clientId: a
  clientSecret: b
  allow: { organizations: [acme] }
  deny: { logins: [mallory], domains: [worse.example] }
  match: all
`,
      { ALLOWED_DOMAINS: 'example.com, example.org' },
    )
    const denied = ['worse.example', 'bad.example']
    expect(providers.map((provider) => provider.admission)).toEqual([
      { organizations: ['acme'], deny: { logins: ['mallory'], domains: denied }, match: 'all' },
      {
        emails: ['ann@example.com'],
        domains: ['example.com', 'example.org'],
        deny: { domains: ['bad.example'] },
      },
    ])
  })

  it('of the short lists of GitHub join its allow', async () => {
    const text =
      'github: { clientId: a, clientSecret: b, allowedLogins: [ann], allow: { logins: [bob], teams: [acme/ops] } }\n'
    expect((await loadText(text)).providers[0]?.admission).toEqual({
      logins: ['bob', 'ann'],
      teams: ['acme/ops'],
    })
  })

  it('are a problem where the provider does not say what they ask', async () => {
    const text = `google: { clientId: a, clientSecret: b, allow: { organizations: [acme] }, match: all }
okta: { clientId: a, clientSecret: b, issuer: "https://x.okta.com", deny: { tenants: [t] }, match: any }
`
    expect(await findProblems(text)).toEqual([
      'gatehouse.yaml:1:65: google.allow.organizations cannot be judged: google does not say it; use logins, emails, domains, tenants or claims',
      'gatehouse.yaml:2:86: okta.deny.tenants cannot be judged: okta does not say it; use logins, emails, domains or claims',
      'gatehouse.yaml:2:100: okta.match says how rules combine, but allow has none',
    ])
  })

  it('and their kin are a problem where there is no provider they could be about', async () => {
    const idle = 'is about identity providers, and none is configured; add one or remove it'
    const text =
      'allow: { emails: [a@b.example] }\ninvitedOnly: true\nreverifySeconds: 600\nlifetime: upstream\n'
    expect(await findProblems(text)).toEqual([
      `gatehouse.yaml:1:8: allow ${idle}`,
      `gatehouse.yaml:3:18: reverifySeconds ${idle}`,
      `gatehouse.yaml:4:11: lifetime ${idle}`,
      `gatehouse.yaml:2:14: invitedOnly ${idle}`,
    ])
  })
})

describe('contradictions', () => {
  it('two providers with one id', async () => {
    const text = `${google}providers:
  - { type: google, clientId: a, clientSecret: b }
  - { type: oidc, id: local, issuer: https://a.example, clientId: a, clientSecret: b }
`
    expect(await findProblems(text)).toEqual([
      'gatehouse.yaml:3:5: providers[0].id is google, which google is already; give one of them another id',
      'gatehouse.yaml:4:23: providers[1].id must not be local, which has a meaning of its own',
    ])
  })

  it('two providers with one callback, and callbacks where something else answers (S8)', async () => {
    const text = `github: { clientId: a, clientSecret: b, callbackPath: /oauth2/callback }
google: { clientId: a, clientSecret: b, callbackPath: /oauth2/callback }
okta: { clientId: a, clientSecret: b, issuer: https://a.example, callbackPath: /token }
oidc: { clientId: a, clientSecret: b, issuer: https://a.example, callbackPath: /tools }
entra: { clientId: a, clientSecret: b, tenant: t, callbackPath: /callback/github/ }
backends: [{ to: "http://127.0.0.1:1/mcp", path: /tools }]
`
    expect(await findProblems(text)).toEqual([
      'gatehouse.yaml:5:65: entra.callbackPath must be a path such as /oauth2/callback',
    ])
    expect(await findProblems(text.replace('/callback/github/', '/callback/github'))).toEqual([
      'gatehouse.yaml:2:55: google.callbackPath is /oauth2/callback, which is the callback of github already; give each its own',
      'gatehouse.yaml:3:80: okta.callbackPath is /token, where Gatehouse itself answers; choose another',
      'gatehouse.yaml:4:80: oidc.callbackPath is /tools, where clients reach an MCP server; choose another',
    ])
  })

  it('a callback URL that is not ours, or for more than one provider (S8)', async () => {
    const env = { SERVER_URL: 'https://mcp.example.com' }
    const url = (path: string) => ({
      ...env,
      MCP_OAUTH_REDIRECT_URI: `https://mcp.example.com${path}`,
    })
    const settings = await loadText(github, url('/github/oauth/callback'))
    expect(settings.providers).toMatchObject([{ callbackPath: '/github/oauth/callback' }])
    expect(await findProblems(github + google, url('/cb'))).toEqual([
      'MCP_OAUTH_REDIRECT_URI: callbackUrl names one callback, but 2 providers are configured; give each its callbackPath',
    ])
    expect(
      await findProblems(github, { ...env, OAUTH_REDIRECT_URI: 'https://old.example/cb' }),
    ).toEqual([
      'OAUTH_REDIRECT_URI: callbackUrl is at https://old.example, but the public URL is https://mcp.example.com: the browser must come back here',
    ])
    expect(await findProblems(github, url('/authorize'))).toEqual([
      'gatehouse.yaml:1:9: github.callbackPath is /authorize, where Gatehouse itself answers; choose another',
    ])
    const other = 'github: { clientId: gh, clientSecret: s, callbackPath: /a }\n'
    expect(await findProblems(other, url('/b'))).toEqual([
      'MCP_OAUTH_REDIRECT_URI: callbackUrl contradicts github.callbackPath; remove one of them',
    ])
  })

  it('a backend that demands a way to sign in which is not there', async () => {
    const text = `${github}backends:
  - { id: a, path: /a, to: "http://127.0.0.1:1/mcp", signInWith: okta }
  - { id: b, path: /b, to: "http://127.0.0.1:1/mcp", signInWith: local }
  - { id: c, path: /c, to: "http://127.0.0.1:1/mcp", signInWith: github }
`
    expect(await findProblems(text)).toEqual([
      'gatehouse.yaml:3:66: backends[0].signInWith names okta, which is no way to sign in: there is github',
      'gatehouse.yaml:4:66: backends[1].signInWith names local, which is no way to sign in: there is github',
    ])
    expect(
      await findProblems(text.replace('okta', 'github'), { GATEHOUSE_LOCAL_SIGN_IN: 'true' }),
    ).toEqual([])
  })

  it("a backend that wants the provider's token where there is none", async () => {
    const needs =
      'forward needs people who sign in with an identity provider: there is no other token to give'
    const backend = (more: string) =>
      `backends: [{ to: "http://127.0.0.1:1/mcp", forward: upstream-token${more} }]\n`
    expect(await findProblems(backend(''))).toEqual([`gatehouse.yaml:1:53: backends[0].${needs}`])
    const local = `${github}localSignIn: true\n${backend(', signInWith: local')}`
    expect(await findProblems(local)).toEqual([`gatehouse.yaml:3:53: backends[0].${needs}`])
    expect(await findProblems(github + backend(''))).toEqual([])
  })

  it('nobody signs in, and a provider to sign in with (A7)', async () => {
    expect(await findProblems(`noSignIn: true\n${google}`)).toEqual([
      'gatehouse.yaml:1:11: noSignIn contradicts google: with it nobody signs in; remove one of them',
    ])
  })

  it('cookie flags of development where it is none, and flags that lose cookies (S6)', async () => {
    const cookies = (flags: string) => `developmentCookies: { ${flags} }\n`
    const mcp = 'publicUrl: https://mcp.example.com\n'
    expect(await findProblems(mcp + cookies('secure: false'))).toEqual([
      'gatehouse.yaml:2:21: developmentCookies are for development at http://localhost only: remove them',
    ])
    expect(await findProblems(cookies('sameSite: none'))).toEqual([
      'gatehouse.yaml:1:21: developmentCookies with sameSite none are dropped by browsers without secure: true',
    ])
    expect(await findProblems(github + cookies('sameSite: strict'))).toEqual([
      'gatehouse.yaml:2:21: developmentCookies with sameSite strict would not come back from github; use lax',
    ])
    expect(await findProblems(cookies('sameSite: none, secure: true'))).toEqual([])
  })

  it('a callback URL that no path can be made of (S8)', async () => {
    for (const url of ['http://localhost:8787/', 'http://localhost:8787/x?y=1', '/x']) {
      const problems = await findProblems(`callbackUrl: "${url}"\n${github}`)
      expect(problems, url).toEqual([
        expect.stringMatching(/^gatehouse.yaml:1:14: callbackUrl must/),
      ])
    }
  })

  it('rules and links that none of the providers would follow', async () => {
    const own = 'github: { clientId: gh, clientSecret: s, allow: { logins: [ann] } }\n'
    expect(await findProblems(`${own}allow: { domains: [x.example] }\n`)).toEqual([
      'gatehouse.yaml:2:8: allow is for providers without an allow of their own, and there is none: move it to github.allow, or remove it',
    ])
    expect(await findProblems(`${own}${google}allow: { domains: [x.example] }\n`)).toEqual([])
    expect(await findProblems(`${own}linkByVerifiedEmail: true\n`)).toEqual([
      'gatehouse.yaml:2:22: linkByVerifiedEmail joins accounts of several providers, and only one is configured; remove it',
    ])
  })

  it('a local sign-in demanded where another issuer signs people in (R8)', async () => {
    const verify = 'registration: { mode: verify, verify: { issuer: https://x.example } }\n'
    const backend = 'backends: [{ to: http://127.0.0.1:1/mcp, signInWith: local }]\n'
    expect(await findProblems(verify + backend)).toEqual([
      expect.stringContaining('names local, which is no way to sign in: nobody signs in here'),
    ])
  })

  it('an Auth0 tenant that is named twice or not at all', async () => {
    const auth0 = (more: string) => `auth0: { clientId: a, clientSecret: b${more} }\n`
    expect(await findProblems(auth0(''))).toEqual([
      'gatehouse.yaml:1:8: auth0.domain is missing: give the domain of the tenant, such as example.eu.auth0.com, in the configuration file or as AUTH0_DOMAIN',
    ])
    expect(
      await findProblems(auth0(', domain: a.auth0.com, issuer: https://a.auth0.com/')),
    ).toEqual([
      'gatehouse.yaml:1:69: auth0.issuer contradicts domain: name the tenant in one of them',
    ])
  })
})
