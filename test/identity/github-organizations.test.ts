import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AdmissionRules } from '../../src/identity/admission.ts'
import { type GitHubSite, startGitHubSite, takeTokens } from './github-site.ts'

let site: GitHubSite
beforeEach(async () => {
  site = await startGitHubSite()
})
afterEach(() => site.close())

const unknown = { code: 'access_denied', reason: 'admission_unknown' }
const refused = { code: 'access_denied', reason: 'not_admitted' }

const enter = (admission: AdmissionRules, granted?: string) => site.enter({ admission }, granted)

describe('scopes', () => {
  const findScope = async (admission: AdmissionRules) =>
    (
      await site.upstream({ admission }).start({
        redirectUri: 'http://localhost/callback',
        state: 's',
        nonce: 'n',
        codeVerifier: 'v',
      })
    ).searchParams.get('scope')

  it('are the least that signing in needs: organisations are asked for only by rules about them', async () => {
    expect(await findScope({})).toBe('read:user user:email')
    expect(await findScope({ logins: ['octocat'] })).toBe('read:user user:email')
    for (const rules of [
      { organizations: ['corp'] },
      { teams: ['corp/a'] },
      { deny: { organizations: ['evil'] } },
    ]) {
      expect(await findScope(rules)).toBe('read:user user:email read:org')
    }
  })

  it('grow by those that the owner names', async () => {
    const upstream = site.upstream({ scopes: ['repo', 'read:user'] })
    const url = await upstream.start({
      redirectUri: 'http://localhost/callback',
      state: 's',
      nonce: 'n',
      codeVerifier: 'v',
    })
    expect(url.searchParams.get('scope')).toBe('read:user user:email repo')
  })

  it('unneeded are never used: nobody is asked where they belong', async () => {
    await enter({ logins: ['octocat'] })
    expect(site.requests.filter((request) => /orgs|teams/.test(request))).toEqual([])
  })
})

describe('organisations', () => {
  it('let in who is in one, whatever its case, and nobody else (R4)', async () => {
    site.person.organizations = { 'Corp-Labs': 'active' }
    expect((await enter({ organizations: ['corp-labs'] })).memberships).toEqual({
      organizations: ['corp-labs'],
    })
    await expect(enter({ organizations: ['corp'] })).rejects.toMatchObject(refused)
    site.person.organizations = {}
    await expect(enter({ organizations: ['corp-labs'] })).rejects.toMatchObject(refused)
  })

  it('count once the invitation to them was accepted', async () => {
    site.person.organizations = { corp: 'pending' }
    await expect(enter({ organizations: ['corp'] })).rejects.toMatchObject(refused)
    site.person.organizations = { corp: 'active' }
    await enter({ organizations: ['corp'] })
  })

  it('of which GitHub keeps some back deny nobody by their silence', async () => {
    // Those that want single sign-on are left out until the person lets the app see them, which is theirs to do.
    site.interfere = (_, response) => {
      response.setHeader('x-github-sso', 'partial-results; organizations=21955855')
      return false
    }
    site.person.organizations = { corp: 'active' }
    for (const deny of [{ organizations: ['evil'] }, { teams: ['evil/a'] }]) {
      await expect(enter({ organizations: ['corp'], deny })).rejects.toMatchObject(unknown)
    }
    await enter({ organizations: ['corp'] })
    await expect(enter({ organizations: ['other'] })).rejects.toMatchObject(refused)
  })

  it('are read page by page', async () => {
    site.person.organizations = { a: 'active', b: 'active', c: 'active', d: 'active', e: 'active' }
    await enter({ organizations: ['e'] })
    expect(site.requests.filter((request) => request.includes('orgs'))).toHaveLength(3)
  })

  it('too many to be read to the end are not taken for all of them', async () => {
    const names = Array.from({ length: 21 }, (_, at) => `org-${at}`)
    site.person.organizations = Object.fromEntries(names.map((name) => [name, 'active']))
    await expect(enter({ organizations: ['org-0'] })).rejects.toMatchObject(unknown)
    await expect(enter({ deny: { organizations: ['evil'] } })).rejects.toMatchObject(unknown)
  })

  it('that the app may not see let nobody in, and the log is told which rule it was', async () => {
    site.person.organizations = { corp: 'active' }
    const blind = enter({ organizations: ['corp'] }, 'read:user user:email')
    await expect(blind).rejects.toMatchObject({
      ...unknown,
      cause: expect.objectContaining({ message: expect.stringContaining('organizations') }),
    })
  })

  it('that the app may not see do not disturb a rule that fits', async () => {
    await enter({ organizations: ['corp'], logins: ['octocat'] }, 'read:user user:email')
  })

  it('denied are refused, whatever else fits; unseen ones are not taken for a no', async () => {
    site.person.organizations = { corp: 'active', evil: 'active' }
    const rules = { organizations: ['corp'], deny: { organizations: ['evil'] } }
    await expect(enter(rules)).rejects.toMatchObject({ reason: 'admission_denied' })
    const deny = { deny: { organizations: ['evil'] } }
    await expect(enter(deny, 'read:user')).rejects.toMatchObject(unknown)
  })

  it.each([
    ['with a hint when to come back', { 'retry-after': '60' }, {}],
    ['with nothing left', { 'x-ratelimit-remaining': '0' }, {}],
    ['in words alone', {}, { message: 'You have exceeded a secondary rate limit' }],
  ])(
    'behind a rate limit that says so %s are asked for again later, not denied',
    async (_, headers, body) => {
      site.person.organizations = { corp: 'active' }
      site.interfere = (request, response) => {
        if (!request.url?.includes('orgs')) return false
        response.writeHead(403, headers).end(JSON.stringify(body))
        return true
      }
      await expect(enter({ organizations: ['corp'] })).rejects.toMatchObject({
        code: 'temporarily_unavailable',
        status: 503,
      })
    },
  )

  it('on a page elsewhere are not fetched: the token goes nowhere else', async () => {
    site.interfere = (request, response) => {
      if (!request.url?.includes('orgs')) return false
      response.writeHead(200, { link: '<https://evil.example/next>; rel="next"' }).end('[]')
      return true
    }
    await expect(enter({ organizations: ['corp'] })).rejects.toMatchObject({ status: 502 })
  })
})

describe('teams', () => {
  it('let in who is in one, by its slug and organisation', async () => {
    site.person.teams = ['Corp/night-watch', 'other/day-watch']
    await enter({ teams: ['corp/night-watch'] })
    await expect(enter({ teams: ['corp/day-watch'] })).rejects.toMatchObject(refused)
  })

  it('are read page by page', async () => {
    site.person.teams = ['a/1', 'a/2', 'a/3']
    await enter({ teams: ['a/3'] })
  })

  it('may be longer than other answers: a hundred of them with all that is said of each', async () => {
    site.interfere = (request, response) => {
      if (!request.url?.includes('teams')) return false
      const team = { slug: 'ops', organization: { login: 'corp' }, description: 'x'.repeat(4000) }
      response.writeHead(200).end(JSON.stringify(Array.from({ length: 100 }, () => team)))
      return true
    }
    await enter({ teams: ['corp/ops'] })
  })
})

describe('later', () => {
  it('somebody who left is no longer admitted; somebody who stayed is', async () => {
    const admission = { organizations: ['corp'] }
    site.person.organizations = { corp: 'active' }
    const tokens = takeTokens(await enter(admission))
    const upstream = site.upstream({ admission })
    expect(await upstream.reverify?.(tokens)).toMatchObject({ subject: '583231', login: 'octocat' })
    site.person.organizations = {}
    await expect(upstream.reverify?.(tokens)).rejects.toMatchObject(refused)
  })

  it('a rule that nobody was asked about refuses until they sign in again', async () => {
    site.person.organizations = { corp: 'active' }
    const tokens = takeTokens(await site.enter())
    const upstream = site.upstream({ admission: { organizations: ['corp'] } })
    await expect(upstream.reverify?.(tokens)).rejects.toMatchObject(unknown)
  })

  it('a token that was revoked is dead for good', async () => {
    const tokens = takeTokens(await site.enter())
    site.grants.length = 0
    await expect(site.upstream().reverify?.(tokens)).rejects.toMatchObject({
      code: 'invalid_grant',
    })
  })

  it.each([500, 503, 429, 403, 404, 200])(
    'an answer %i without sense passes, and ends nothing (P5)',
    async (status) => {
      const tokens = takeTokens(await site.enter())
      site.interfere = (_, response) => {
        response.writeHead(status).end('<h1>Unicorn!</h1>')
        return true
      }
      await expect(site.upstream().reverify?.(tokens)).rejects.toMatchObject({
        code: 'temporarily_unavailable',
        status: 503,
      })
    },
  )
})
