/**
 * GitHub on loopback as its REST documentation describes it, with what emulators leave out: organisations
 * and teams in pages, user tokens that expire, and the removal of an app's authorization.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type GitHubOptions, github } from '../../src/identity/presets/github.ts'
import type { Identity, UpstreamTokens } from '../../src/identity/upstream.ts'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createFlow } from './contract.ts'
import { createTestClock } from './fixtures.ts'

/** Somebody at GitHub. */
export interface GitHubPerson {
  id: number
  login: string
  /** Organisation → whether the person has accepted the invitation to it. */
  organizations: Record<string, 'active' | 'pending'>
  /** As `Organisation/slug`. */
  teams: string[]
}

/** What stands behind one sign-in. */
interface Grant {
  readonly person: GitHubPerson
  readonly scopes: readonly string[]
  accessToken: string
  refreshToken: string | undefined
}

/** GitHub, its people, and what Gatehouse asked for. */
export interface GitHubSite {
  readonly clock: ReturnType<typeof createTestClock>
  readonly person: GitHubPerson
  /** Somebody else. */
  readonly other: GitHubPerson
  /** What arrived, as `METHOD path`. */
  readonly requests: string[]
  readonly grants: Grant[]
  /** Whether this is a GitHub App whose user tokens expire. */
  expires: boolean
  /** Answers in place of GitHub while it is there and takes the request. */
  interfere: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  upstream(changes?: Partial<GitHubOptions>): ReturnType<typeof github>
  /** Plays a person at GitHub's page. Returns where the browser is sent. */
  signIn(authorizationUrl: URL, login: string, granted?: string): Promise<URL>
  /** Signs the person in; `granted` are the scopes the app gets, by default those it asked for. */
  enter(changes?: Partial<GitHubOptions>, granted?: string): Promise<Identity>
  close(): Promise<void>
}

const app = { clientId: 'Iv23.gatehouse', clientSecret: 's:cret/with+signs' }
const basic = `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`
const pageSize = 2

/** Starts one with `octocat` and `hubot`, who are in no organisation. */
export async function startGitHubSite(): Promise<GitHubSite> {
  const codes = new Map<string, Pick<Grant, 'person' | 'scopes'>>()
  const server = createServer((request, response) => void serve(request, response))
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    site.requests.push(`${request.method} ${request.url}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (site.interfere?.(request, response)) return
    const { status = 200, body, link } = answer(request, Buffer.concat(chunks).toString())
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      ...(link !== undefined && { link }),
    })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function answer(request: IncomingMessage, body: string): Answer {
    const url = new URL(request.url ?? '', origin)
    if (url.pathname === '/login/oauth/access_token') return issue(new URLSearchParams(body))
    if (url.pathname === `/applications/${app.clientId}/grant`) return remove(request, body)
    const token = request.headers.authorization?.replace(/^Bearer /, '')
    const grant = site.grants.find(({ accessToken }) => accessToken === token)
    if (!grant) return { status: 401, body: { message: 'Bad credentials' } }
    return tell(url, grant)
  }

  function issue(form: URLSearchParams): Answer {
    const wrong = form.get('client_id') !== app.clientId
    if (wrong) return { status: 404, body: { error: 'Not Found' } }
    if (form.get('client_secret') !== app.clientSecret) return fail('incorrect_client_credentials')
    if (form.get('grant_type') === 'refresh_token') {
      const grant = site.grants.find(
        ({ refreshToken }) =>
          refreshToken !== undefined && refreshToken === form.get('refresh_token'),
      )
      return grant ? renew(grant) : fail('bad_refresh_token')
    }
    const approval = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    if (approval === undefined) return fail('bad_verification_code')
    const grant = { ...approval, accessToken: '', refreshToken: undefined }
    site.grants.push(grant)
    return renew(grant)
  }

  function renew(grant: Grant): Answer {
    const prefix = site.expires ? 'ghu_' : 'gho_'
    grant.accessToken = `${prefix}${systemRandom(16)}`
    grant.refreshToken = site.expires ? `ghr_${systemRandom(16)}` : undefined
    const expiry = {
      expires_in: 28_800,
      refresh_token: grant.refreshToken,
      refresh_token_expires_in: 15_897_600,
    }
    return {
      body: {
        access_token: grant.accessToken,
        token_type: 'bearer',
        scope: grant.scopes.join(','),
        ...(site.expires && expiry),
      },
    }
  }

  function remove(request: IncomingMessage, body: string): Answer {
    if (request.headers.authorization !== basic)
      return { status: 401, body: { message: 'Bad credentials' } }
    const { access_token: token } = JSON.parse(body) as { access_token: string }
    const at = site.grants.findIndex(({ accessToken }) => accessToken === token)
    if (request.method !== 'DELETE' || at < 0)
      return { status: 404, body: { message: 'Not Found' } }
    site.grants.splice(at, 1)
    return { status: 204 }
  }

  function tell(url: URL, { person, scopes }: Grant): Answer {
    const { id, login, organizations, teams } = person
    if (url.pathname === '/user') return { body: { id, login, name: null } }
    if (url.pathname === '/user/emails') {
      return { body: [{ email: `${login}@example.com`, primary: true, verified: true }] }
    }
    if (!scopes.includes('read:org')) {
      return { status: 403, body: { message: 'You need at least read:org scope or user scope' } }
    }
    if (url.pathname === '/user/memberships/orgs') {
      const state = url.searchParams.get('state')
      const all = Object.entries(organizations).map(([name, is]) => ({
        state: is,
        role: 'member',
        organization: { login: name },
      }))
      return toPage(
        url,
        all.filter((one) => state === null || one.state === state),
      )
    }
    if (url.pathname === '/user/teams') {
      return toPage(
        url,
        teams.map((team) => {
          const [owner, slug] = team.split('/')
          return { name: `The ${slug}`, slug, organization: { login: owner } }
        }),
      )
    }
    return { status: 404, body: { message: 'Not Found' } }
  }

  const site: GitHubSite = {
    clock: createTestClock(),
    person: { id: 583231, login: 'octocat', organizations: {}, teams: [] },
    other: { id: 480938, login: 'hubot', organizations: {}, teams: [] },
    requests: [],
    grants: [],
    expires: false,
    interfere: undefined,
    upstream: (changes) =>
      github({ ...app, clock: site.clock, endpoints: { web: origin, api: origin }, ...changes }),
    signIn: async (authorizationUrl, login, granted) => {
      const asked = authorizationUrl.searchParams
      const person = [site.person, site.other].find((one) => one.login === login)
      if (person === undefined) throw new Error(`There is no ${login}`)
      const code = systemRandom(10)
      codes.set(code, { person, scopes: (granted ?? asked.get('scope') ?? '').split(' ') })
      const callback = new URL(asked.get('redirect_uri') ?? '')
      callback.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString()
      return callback
    },
    enter: async (changes, granted) => {
      const upstream = site.upstream(changes)
      const flow = createFlow()
      return upstream.finish(
        await site.signIn(await upstream.start(flow), 'octocat', granted),
        flow,
      )
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return site
}

interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly link?: string
}

/** GitHub sends errors of its token endpoint as 200. */
function fail(error: string): Answer {
  return { body: { error, error_description: 'PHISH', error_uri: 'https://docs.github.com/…' } }
}

function toPage(url: URL, all: readonly unknown[]): Answer {
  const page = Number(url.searchParams.get('page') ?? '1')
  const last = Math.max(1, Math.ceil(all.length / pageSize))
  const toLink = (to: number, rel: string) => {
    const target = new URL(url)
    target.searchParams.set('page', String(to))
    return `<${target.href}>; rel="${rel}"`
  }
  const links =
    page < last ? [toLink(page + 1, 'next'), toLink(last, 'last')] : [toLink(1, 'first')]
  return { body: all.slice((page - 1) * pageSize, page * pageSize), link: links.join(', ') }
}

/** The tokens of an identity. */
export function takeTokens({ tokens }: Identity): UpstreamTokens {
  if (tokens === undefined) throw new Error('There are no tokens')
  return tokens
}
