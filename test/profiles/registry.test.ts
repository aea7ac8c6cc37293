/** What holds of every profile, whoever writes it (decision 10). */
import { describe, expect, it } from 'vitest'
import { parseClientMetadata } from '../../src/oauth/client-metadata.ts'
import {
  matchRedirectUri,
  parseRedirectUri,
  redirectHost,
  redirectKind,
} from '../../src/oauth/redirect-uri.ts'
import { findLookAlike } from '../../src/profiles/look-alike.ts'
import { type ClientProfile, requirements } from '../../src/profiles/profile.ts'
import { findProfile, profiles } from '../../src/profiles/registry.ts'
import { listFiles, readSource, stripComments } from '../helpers/sources.ts'

function listRedirectUris({ redirects, identification }: ClientProfile): string[] {
  const { redirect_uris: registered = [] } = identification.registration ?? {}
  return [...registered, ...(redirects.uris ?? []), ...(redirects.used ? [redirects.used] : [])]
}

/** Whether a redirect URI is where the profile says that its client is at home. */
function isAtHome(uri: string, { hosts, schemes = [], loopback }: ClientProfile['redirects']) {
  const kind = redirectKind(uri)
  if (kind === 'loopback') return loopback
  return kind === 'https' ? hosts.includes(redirectHost(uri)) : schemes.includes(redirectHost(uri))
}

const registering = profiles.filter(({ identification }) => identification.registration)

describe('the registry', () => {
  it('finds every profile by its id, and nothing else', () => {
    for (const profile of profiles) expect(findProfile(profile.id)).toBe(profile)
    expect(findProfile('nobody')).toBeUndefined()
  })

  it('has no id and no name twice', () => {
    expect(new Set(profiles.map(({ id }) => id)).size).toBe(profiles.length)
    expect(new Set(profiles.map(({ name }) => name)).size).toBe(profiles.length)
  })

  it('lists every file with a client in it', () => {
    const files = listFiles('src/profiles/clients').map((path) => readSource(path))
    const written = files.flatMap((text) => [...text.matchAll(/: ClientProfile = \{/g)])
    expect(written).toHaveLength(profiles.length)
  })
})

describe.each(profiles)('$id', (profile) => {
  const { id, identification, redirects, requires, failures } = profile

  it('has an id for the command line, sources with a date, and a revision', () => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(profile.sources).not.toEqual([])
    for (const { seen } of profile.sources) {
      expect(seen).toMatch(/^202[56]-(0[1-9]|1[0-2])$/)
    }
    expect(profile.revisions).not.toEqual([])
    expect([...profile.revisions].sort().reverse()).toEqual(profile.revisions)
    if (profile.variantOf) expect(findProfile(profile.variantOf)).toBeDefined()
  })

  it('says how a person adds a server, and where a text to copy goes', () => {
    const { steps = '', toCopy } = profile.adding ?? {}
    const copy = toCopy?.({ name: 'notes', url: 'https://mcp.example.com/mcp' })
    expect(steps).toMatch(copy === undefined ? /\.$/ : /:$/)
    if (copy !== undefined)
      expect(decodeURIComponent(copy)).toContain('https://mcp.example.com/mcp')
  })

  it('has redirect URIs that may be registered (RD-02)', () => {
    for (const uri of listRedirectUris(profile)) expect(parseRedirectUri(uri)).toBe(uri)
  })

  it('uses a redirect URI that its registration is good for (RD-04)', () => {
    const { redirect_uris: registered } = identification.registration ?? {}
    if (!redirects.used || !registered) return
    expect(matchRedirectUri(redirects.used, registered)).toBe(redirects.used)
  })

  it('is at home where its codes go, unless people host it themselves', () => {
    if (profile.runs === 'own-server') return
    const away = listRedirectUris(profile).filter((uri) => !isAtHome(uri, redirects))
    expect(away).toEqual([])
  })

  it('is never taken for somebody who copies its name (CR-11)', () => {
    const { client_name: own } = { ...identification.registration }
    const called = typeof own === 'string' ? own : profile.name
    for (const uri of listRedirectUris(profile)) {
      expect(findLookAlike(called, [redirectHost(uri)])).toBeUndefined()
    }
  })

  it('has everything for the ways in which it comes to a client id', () => {
    expect(new Set(identification.order).size).toBe(identification.order.length)
    expect(identification.order.includes('document')).toBe(identification.document !== undefined)
    for (const address of identification.document?.ids ?? []) {
      expect(address).toMatch(/^https:\/\/[^/]+\/./)
    }
    if (identification.registration) expect(identification.order).toContain('registration')
  })

  it('has words only for what it asks for, each once', () => {
    expect(new Set(requires).size).toBe(requires.length)
    expect(requires.filter((name) => !(name in requirements))).toEqual([])
    const spoken = Object.keys(failures.of ?? {})
    expect(spoken.filter((name) => !requires.some((required) => required === name))).toEqual([])
  })
})

describe.each(registering)('the registration of $id', ({ identification }) => {
  const { registration } = identification

  it('is accepted and comes back as it was sent, with nothing null (CR-14)', () => {
    const { scope, ...sent } = { ...registration }
    expect(parseClientMetadata(registration)).toEqual({
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      ...sent,
      ...(scope !== '' && scope !== undefined && { scope }),
      grant_types: ['authorization_code', 'refresh_token'],
    })
  })
})

describe('the rest of the source', () => {
  it("knows no client's address: what a client does is written in its profile alone", () => {
    const homes = new Set(profiles.flatMap(({ redirects }) => redirects.hosts))
    const documents = profiles.flatMap(({ identification }) => identification.document?.ids ?? [])
    const copies = listFiles('src')
      .filter((path) => path.endsWith('.ts') && !path.startsWith('src/profiles/'))
      .flatMap((path) => {
        const code = stripComments(readSource(path))
        // Within a quotation or a URL; a text may name one as an example.
        const hosts = code.match(/(?<=['"`/])[a-z0-9-]+(?:\.[a-z0-9-]+)+/g) ?? []
        const found = hosts.filter((host) => homes.has(host))
        const addresses = documents.filter((address) => code.includes(address))
        return [...found, ...addresses].map((copy) => `${path}: ${copy}`)
      })
    expect(homes).toContain('chatgpt.com')
    expect(copies).toEqual([])
  })
})
