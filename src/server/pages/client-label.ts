/**
 * How a client is named to a person.
 *
 * A client's name is its own claim: anyone can register as "ChatGPT". Where the code will be sent is a
 * fact. So unless the owner vouches for the client, the name never stands without the destination, and
 * a name that looks like someone else's does not head a page at all (catalogue CR-11, CN-12).
 */
import { type Html, html } from '../../platform/html.ts'

/** The client as the pages know it. */
export interface ClientView {
  /** Its own claim; `undefined` when it registered none. */
  readonly name: string | undefined
  readonly id: string
  /** Whether the owner registered it by hand. */
  readonly vouched: boolean
  /** Whether anyone has connected it here before. */
  readonly seenBefore: boolean
  /** The well-known client whose name it imitates from a different host, such as `ChatGPT`. */
  readonly lookAlike: string | undefined
  /** The site that publishes its metadata document, which is its client id: a fact, in ASCII. */
  readonly publishedAt?: string
  /** Its website, by its own claim. Shown as text, never as a link. */
  readonly uri?: string
}

/** Where the browser is sent with the code. */
export interface RedirectView {
  readonly kind: 'https' | 'loopback' | 'private-use'
  /** With the port when there is one; for a private-use scheme, the scheme and whatever stands for a host. */
  readonly host: string
  /** The whole redirect URI. */
  readonly uri: string
  /** The well-known client whose vendor's site it is, such as `ChatGPT`. */
  readonly owner?: string
}

/** The destination in a few plain words: a host, or what stands behind an address of this device. */
export function toDestination(redirect: RedirectView): string {
  if (redirect.kind === 'loopback') return 'a program on this computer'
  if (redirect.kind === 'private-use') return 'an app on this device'
  return redirect.host
}

/** The destination beside a name: `chatgpt.com`, `on this computer`. */
function toPlace(redirect: RedirectView): string {
  if (redirect.kind === 'loopback') return 'on this computer'
  if (redirect.kind === 'private-use') return 'on this device'
  return redirect.host
}

/**
 * The client in one line of text, safe to show alone: `ChatGPT (chatgpt.com)`, or just `ChatGPT` when
 * the owner vouches for it. Isolate it with `<bdi>` when it goes into markup.
 */
export function toClientLabel(client: ClientView, redirect: RedirectView): string {
  if (client.lookAlike !== undefined) return toDestination(redirect)
  const name = client.name ?? 'an app without a name'
  return client.vouched ? name : `${name} (${toPlace(redirect)})`
}

/** The same as markup, each foreign part isolated so that right-to-left text cannot reorder the line. */
export function renderClient(client: ClientView, redirect: RedirectView): Html {
  if (client.lookAlike !== undefined)
    return html`<bdi class="where">${toDestination(redirect)}</bdi>`
  const name = client.name === undefined ? 'an app without a name' : html`<bdi>${client.name}</bdi>`
  if (client.vouched) return html`${name}`
  return html`${name} <span class="where">(<bdi>${toPlace(redirect)}</bdi>)</span>`
}
