/** The page at the issuer's address: what this is, and how to connect each well-known app to it. */
import type { Answer } from '../../platform/exchange.ts'
import { type Html, html } from './html.ts'
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

/** How to add a server in one app: what to do, and the text to copy if there is one. */
interface Recipe {
  readonly app: string
  readonly steps: string
  readonly copy?: string
  /** Whether the app's makers connect from their own computers, not from this one. */
  readonly hosted?: boolean
}

/** A name that every client accepts and no shell reads anything into. */
function toSlug(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'mcp' : slug
}

/** Menu paths and commands as of 2026-11 (`docs/guides`). */
function toRecipes({ name, url }: ServerView): Recipe[] {
  const slug = toSlug(name)
  return [
    {
      app: 'ChatGPT',
      steps:
        'Settings → Apps → Advanced settings: switch on Developer mode. Then Settings → Apps → Create app, paste the address and choose OAuth.',
      hosted: true,
    },
    {
      app: 'Claude',
      steps: 'Settings → Connectors → Add custom connector, then paste the address.',
      hosted: true,
    },
    {
      app: 'Claude Code',
      steps: 'In a terminal, then type /mcp in Claude Code to sign in:',
      copy: `claude mcp add --transport http ${slug} ${url}`,
    },
    {
      app: 'VS Code',
      steps: 'In a terminal:',
      copy: `code --add-mcp '${JSON.stringify({ name: slug, type: 'http', url })}'`,
    },
    {
      app: 'Cursor',
      steps: 'In the file .cursor/mcp.json of your home folder or project:',
      copy: JSON.stringify({ mcpServers: { [slug]: { url } } }, null, 2),
    },
    { app: 'Codex', steps: 'In a terminal:', copy: `codex mcp add ${slug} --url ${url}` },
  ]
}

function isPublic(address: string): boolean {
  const url = URL.parse(address)
  return (
    url !== null && url.protocol === 'https:' && !/^(localhost|127\.|\[::1\])/.test(url.hostname)
  )
}

function renderRecipe({ app, steps, copy, hosted }: Recipe, reachable: boolean): Html {
  return html`<details class="recipe">
<summary>${app}</summary>
<p>${steps}</p>
${copy !== undefined && html`<pre class="code copy" tabindex="0" aria-label="To copy into ${app}">${copy}</pre>`}
${hosted === true && !reachable && html`<p class="hint">${app} connects from the internet, so it needs a public https address: put a tunnel in front of this server first.</p>`}
</details>`
}

function renderServer(server: ServerView, heading: Html | string): Html {
  const reachable = isPublic(server.url)
  return html`<section class="block">
<h2>${heading}</h2>
<p class="code copy address">${server.url}</p>
${toRecipes(server).map((recipe) => renderRecipe(recipe, reachable))}
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
