/** A Gatehouse with an owner and a client, and a person who walks its pages one step at a time. */
import type { ClientMetadata } from '../../src/oauth/client-metadata.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { registerClient as storeClient } from '../../src/server/clients/register.ts'
import { type Client, clients } from '../../src/storage/records/client.ts'
import { type Flow, flows } from '../../src/storage/records/flow.ts'
import type { Stored } from '../../src/storage/records/record.ts'
import { type Browser, createBrowser, findForm, type Page } from './browser.ts'
import { startTestGatehouse, type TestClock, type TestGatehouse } from './gatehouse.ts'
import { authorizePath, type Registered, redeem, registerClient } from './oauth-client.ts'

/** The owner of every site. */
export const ada = { email: 'ada@example.com', password: 'correct horse battery' }
/** Somebody else. */
export const bob = { email: 'bob@example.com', password: 'horse battery staple' }

/** How far {@link Site.walk} goes. `client` is the redirect back. */
export type Stop = 'approve' | 'sign-in' | 'confirm' | 'client'

/** A Gatehouse and one client of it. */
export interface Site extends TestGatehouse {
  /** Dynamically registered, public, one https redirect URI. */
  readonly client: Registered
  readonly ownerId: string
  /** A browser of its own, without cookies. */
  browser(): Browser
  /** The address of the client's authorization request, with some parameters changed. */
  authorizeUrl(extra?: Record<string, string | undefined>, client?: Registered): string
  /** Walks from an authorization request to a stop, as Ada. Without a session unless the browser has one. */
  walk(browser: Browser, stop: Stop, extra?: Record<string, string | undefined>): Promise<Page>
  /** A browser in which Ada is signed in. */
  signedIn(): Promise<Browser>
  /** Trades the code of a redirect for tokens and returns their scope. */
  findGrantedScope(back: Page): Promise<string | undefined>
}

/** Starts one; options as for `startTestGatehouse`. */
export async function startSite(
  options: Partial<GatehouseOptions> & { clock?: TestClock } = {},
): Promise<Site> {
  const running = await startTestGatehouse(options)
  const { gatehouse, issuer, send } = running
  const { localSignIn, users } = gatehouse.context
  const owner = localSignIn ? await users.addLocal(ada.email, ada.password, 'owner') : undefined
  const client = await registerClient(send)
  const browser = () => createBrowser(issuer, gatehouse.fetch)
  const authorizeUrl: Site['authorizeUrl'] = (extra, of = client) =>
    issuer + authorizePath(of, extra)
  const walk: Site['walk'] = async (person, stop, extra) => {
    let page = await person.open(authorizeUrl(extra))
    if (stop === 'approve' && page.status === 200) page = await loadAgain(person, page)
    for (let steps = 0; steps < 4 && page.status === 200 && toStop(page) !== stop; steps += 1) {
      page = await takeStep(person, page)
    }
    return page
  }
  return {
    ...running,
    client,
    ownerId: owner?.record.value.id ?? '',
    browser,
    authorizeUrl,
    walk,
    signedIn: async () => {
      const person = browser()
      await walk(person, 'client')
      return person
    },
    findGrantedScope: async (back) => {
      const tokens = await redeem(send, client, back.url.searchParams.get('code') ?? '')
      return tokens.body.scope
    },
  }
}

/** The page of a flow, at the address of its own that shows whatever is next. */
export function loadAgain(browser: Browser, page: Page): Promise<Page> {
  return browser.open(new URL(`/consent?flow=${hiddenOf(page).flow}`, page.url))
}

/** Goes on from a page: allows, or signs in as Ada. */
export function takeStep(browser: Browser, page: Page): Promise<Page> {
  if (toStop(page) === 'sign-in') return browser.press(page, '', '', ada)
  return browser.press(page, 'decision', 'allow')
}

/** Which stop a page is. */
function toStop(page: Page): Stop {
  if (page.status === 0) return 'client'
  if (page.url.pathname === '/sign-in') return 'sign-in'
  return page.text.includes('<title>Confirm access') ? 'confirm' : 'approve'
}

/** The hidden fields of the form that has a button. */
export function hiddenOf(page: Page, name = 'decision', value = 'deny'): Record<string, string> {
  return Object.fromEntries(findForm(page, name, value).fields)
}

/** The parameters with which the browser was sent back, each as often as it stands there. */
export function answerOf(location: URL | string | null): [string, string][] {
  return [...new URL(location ?? '').searchParams]
}

/** The only flow in the store. */
export async function findOnlyFlow({ gatehouse }: Site): Promise<Stored<Flow>> {
  const [flow, ...more] = await flows.list(gatehouse.context.store)
  if (flow && more.length === 0) return flow
  throw new Error(`${more.length + (flow ? 1 : 0)} flows in the store`)
}

/** Writes into a flow behind the server's back. */
export async function tamperFlow(site: Site, changes: Partial<Flow>): Promise<void> {
  const { key, value } = await findOnlyFlow(site)
  await site.gatehouse.context.store.commit({ set: [flows.write(key, { ...value, ...changes })] })
}

/** Changes a client's metadata, or removes the client when there are none. */
export async function tamperClient(
  { gatehouse }: Site,
  id: string,
  metadata?: Partial<ClientMetadata>,
): Promise<void> {
  const { store } = gatehouse.context
  const key = clients.key(id)
  const stored = await clients.find(store, id)
  if (!metadata || !stored) {
    await store.commit({ delete: [key] })
    return
  }
  const changed = { ...stored.value, metadata: { ...stored.value.metadata, ...metadata } }
  await store.commit({ set: [clients.write(key, changed)] })
}

/** Registers a client as its owner would: vouched for. */
export async function preregister(
  { gatehouse }: Site,
  redirectUris: string[],
  choices: Partial<Pick<Client, 'pkce'>> & { confidential?: boolean } = {},
): Promise<Registered> {
  const metadata: ClientMetadata = {
    client_name: 'House client',
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: choices.confidential ? 'client_secret_post' : 'none',
  }
  const origin = 'preregistered' as const
  const pkce = choices.pkce ?? 'required'
  const made = await storeClient(metadata, { origin, pkce }, gatehouse.context)
  if (!made) throw new Error('The id is taken')
  const secret = made.secret === undefined ? {} : { client_secret: made.secret }
  return { client_id: made.client.id, redirect_uris: redirectUris, ...secret }
}
