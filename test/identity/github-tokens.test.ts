import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UpstreamTokens } from '../../src/identity/upstream.ts'
import { describeUpstream } from './contract.ts'
import { type GitHubSite, startGitHubSite, takeTokens } from './github-site.ts'

let site: GitHubSite
beforeEach(async () => {
  site = await startGitHubSite()
})
afterEach(() => site.close())

describeUpstream('A GitHub App', async () => {
  const running = await startGitHubSite()
  running.expires = true
  return {
    upstream: running.upstream(),
    create: running.upstream,
    can: ['refresh', 'reverify', 'revoke', 'tell-dead-tokens', 'tell-secrets'],
    people: ['octocat', 'hubot'],
    scopes: ['read:user', 'user:email'],
    signIn: running.signIn,
    close: running.close,
  }
})

const callback = 'http://localhost:8787/callback/github'

const refresh = (tokens: UpstreamTokens, changes = {}) => {
  const { refreshToken = expect.unreachable('no refresh token') } = tokens
  return site.upstream(changes).refresh?.({ ...tokens, refreshToken })
}

describe('tokens of a GitHub App', () => {
  beforeEach(() => {
    site.expires = true
  })

  it('say when they end, and so does the token that renews them (UP-14)', async () => {
    const now = site.clock.now()
    expect(takeTokens(await site.enter())).toEqual({
      accessToken: expect.stringMatching(/^ghu_/),
      refreshToken: expect.stringMatching(/^ghr_/),
      expiresAt: now + 28_800,
      refreshExpiresAt: now + 15_897_600,
    })
  })

  it('are renewed, both of them (UP-15)', async () => {
    const tokens = takeTokens(await site.enter())
    site.clock.advance(28_800)
    const renewed = await refresh(tokens)
    expect(renewed).toMatchObject({ expiresAt: site.clock.now() + 28_800 })
    expect(renewed?.accessToken).not.toBe(tokens.accessToken)
    expect(renewed?.refreshToken).not.toBe(tokens.refreshToken)
  })

  it('are gone for good when GitHub says bad_refresh_token, with status 200 (UP-17)', async () => {
    const tokens = takeTokens(await site.enter())
    await refresh(tokens)
    const error = await refresh(tokens)?.catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'invalid_grant', status: 400 })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/ghr_|PHISH/)
  })

  it('stay while the owner has the secret wrong (P5)', async () => {
    const tokens = takeTokens(await site.enter())
    await expect(refresh(tokens, { clientSecret: 'wrong' })).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
    })
    expect(await refresh(tokens)).toMatchObject({ accessToken: expect.stringMatching(/^ghu_/) })
  })

  it.each([500, 429, 404, 302])('stay when GitHub answers %i (P5)', async (status) => {
    const tokens = takeTokens(await site.enter())
    site.interfere = (_, response) => {
      response.writeHead(status, { location: 'https://evil.example/' }).end('<h1>Unicorn!</h1>')
      return true
    }
    await expect(refresh(tokens)).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  it('keep the refresh token that an answer does not replace (UP-15)', async () => {
    const tokens = takeTokens(await site.enter())
    site.interfere = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: 'ghu_new', token_type: 'bearer' }))
      return true
    }
    expect(await refresh(tokens)).toEqual({
      accessToken: 'ghu_new',
      refreshToken: tokens.refreshToken,
      refreshExpiresAt: tokens.refreshExpiresAt,
    })
  })
})

describe('the end of a grant', () => {
  it('takes the app out of the list of authorized apps, proven by id and secret', async () => {
    const tokens = takeTokens(await site.enter())
    await site.upstream().revoke?.(tokens)
    expect(site.requests.at(-1)).toBe('DELETE /applications/Iv23.gatehouse/grant')
    expect(site.grants).toEqual([])
  })

  it('is reached already when GitHub knows nothing of the token', async () => {
    const tokens = takeTokens(await site.enter())
    site.grants.length = 0
    await site.upstream().revoke?.(tokens)
    for (const status of [404, 422]) {
      site.interfere = (_, response) => {
        response.writeHead(status).end()
        return true
      }
      await site.upstream().revoke?.(tokens)
    }
  })

  it('comes also when the access token has ended before the refresh token', async () => {
    site.expires = true
    const tokens = takeTokens(await site.enter())
    await site.upstream().revoke?.({ ...tokens, accessToken: 'ghu_ended' })
    expect(site.grants).toEqual([])
  })

  it('is nothing to try again for when both tokens are dead', async () => {
    site.expires = true
    const tokens = takeTokens(await site.enter())
    site.grants.length = 0
    await site.upstream().revoke?.(tokens)
  })

  it.each([401, 500, 429, 302])('must be tried again when GitHub answers %i', async (status) => {
    const tokens = takeTokens(await site.enter())
    site.interfere = (_, response) => {
      response.writeHead(status, { location: 'https://evil.example/' }).end()
      return true
    }
    const error = await site
      .upstream()
      .revoke?.(tokens)
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 503 })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(tokens.accessToken)
  })
})

describe('at the start', () => {
  it('nothing is wrong with credentials that GitHub knows, and nothing has happened', async () => {
    expect(await site.upstream().findProblem?.(callback)).toBeUndefined()
    expect(site.grants).toEqual([])
  })

  it.each([
    ['secret', { clientSecret: 'wrong' }],
    ['client ID', { clientId: 'Iv23.nobody' }],
  ])('a wrong %s is found and named, but not told', async (_, changes) => {
    const problem = await site.upstream(changes).findProblem?.(callback)
    expect(problem).toMatch(/^GitHub refuses the client ID Iv23\.\w+ or its secret$/)
  })

  it('a callback that GitHub does not know is named', async () => {
    site.interfere = (_, response) => {
      response.writeHead(200).end(JSON.stringify({ error: 'redirect_uri_mismatch' }))
      return true
    }
    expect(await site.upstream().findProblem?.(callback)).toContain(callback)
  })

  it('an outage is no problem of ours', async () => {
    site.interfere = (_, response) => {
      response.writeHead(500).end()
      return true
    }
    expect(await site.upstream().findProblem?.(callback)).toBeUndefined()
    const upstream = site.upstream()
    await site.close()
    expect(await upstream.findProblem?.(callback)).toBeUndefined()
  })
})
