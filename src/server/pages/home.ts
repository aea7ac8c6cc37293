/** The page at the issuer's address: what this is, and how to connect each well-known app to it. */
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html } from '../../platform/html.ts'
import { chatgpt } from '../../profiles/clients/chatgpt.ts'
import { claude } from '../../profiles/clients/claude.ts'
import { claudeCode } from '../../profiles/clients/claude-code.ts'
import { codex } from '../../profiles/clients/codex.ts'
import { cursor } from '../../profiles/clients/cursor.ts'
import { vscode } from '../../profiles/clients/vscode.ts'
import type { ClientProfile } from '../../profiles/profile.ts'
import { renderPage } from './layout.ts'

/** An MCP server and the address that people paste into their apps. */
export interface ServerView {
  readonly name: string
  readonly url: string
}

/** What the home page shows. */
export interface HomeView {
  readonly siteName: string
  readonly issuer: string
  readonly servers: readonly ServerView[]
}

/** The apps that have a recipe, in their order. */
const shown = [chatgpt, claude, claudeCode, vscode, cursor, codex]

/** A name that every client accepts and no shell reads anything into. */
function toSlug(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'mcp' : slug
}

function isPublic(address: string): boolean {
  const url = URL.parse(address)
  return (
    url !== null && url.protocol === 'https:' && !/^(localhost|127\.|\[::1\])/.test(url.hostname)
  )
}

/** How to add a server in one app: what to do, and the text to copy if there is one. */
function renderRecipe({ name, runs, adding }: ClientProfile, { name: server, url }: ServerView) {
  if (adding === undefined) return undefined
  const copy = adding.toCopy?.({ name: toSlug(server), url })
  const isOutOfReach = runs === 'vendor-cloud' && !isPublic(url)
  return html`<details class="recipe">
<summary>${name}</summary>
<p>${adding.steps}</p>
${copy !== undefined && html`<pre class="code copy" tabindex="0" aria-label="To copy into ${name}">${copy}</pre>`}
${isOutOfReach && html`<p class="hint">${name} connects from the internet, so it needs a public https address: put a tunnel in front of this server first.</p>`}
</details>`
}

function renderServer(server: ServerView, heading: Html | string): Html {
  return html`<section class="block">
<h2>${heading}</h2>
<p class="code copy address">${server.url}</p>
${shown.map((profile) => renderRecipe(profile, server))}
</section>`
}

function renderServers([first, ...others]: readonly ServerView[]): Html | undefined {
  if (first === undefined) return undefined
  if (others.length === 0) return renderServer(first, 'Give your app this address')
  const sections = [first, ...others].map((server) =>
    renderServer(server, html`<bdi>${server.name}</bdi>`),
  )
  return html`<p>Give your app the address of what you want to use.</p>${sections}`
}

/** Renders the home page. */
export function renderHomePage(view: HomeView): Answer {
  const body = html`<h1>Use <bdi>${view.siteName}</bdi> in your AI app</h1>
<p class="lead">Apps such as ChatGPT and Claude can work with <bdi>${view.siteName}</bdi> for you. The app asks, you sign in here, and you decide what it may do.</p>
${renderServers(view.servers)}`
  return renderPage({ title: 'Connect your app', body, siteName: view.siteName })
}
