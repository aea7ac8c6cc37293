/**
 * Copies of the metadata documents of large vendors, for servers that cannot read the originals: some
 * vendors answer data centres with a challenge page, and some machines have no internet (CM-17).
 *
 * Used only when reading the original fails and nothing is stored of it. What each says here was seen at its
 * address, or in published fixtures of it, at the date it names; left out is what could not be seen whole.
 */

/** One vendor's document. */
export interface PinnedDocument {
  /** Its address, which is the client id. `{id}` stands for one path segment, the same one everywhere in the copy. */
  readonly id: string
  /** When it was seen: `2026-09`. */
  readonly seen: string
  /** Where it was seen, when not at its address. */
  readonly source?: string
  /** What it says besides `client_id`. */
  readonly members: Readonly<Record<string, unknown>> & {
    readonly client_name: string
    readonly redirect_uris: readonly string[]
  }
  /**
   * Redirect URIs that its program uses and its document lacks. Claude Desktop's Code tab is Claude Code by its
   * id and comes back to an address of the desktop app, which no document of Anthropic lists
   * (anthropics/claude-code#93671); only that app answers to it, on the device where the person began.
   */
  readonly alsoRedirectsTo?: readonly string[]
}

const publicClient = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}

const chatGpt = {
  client_name: 'ChatGPT',
  client_uri: 'https://chatgpt.com/',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
}

const codex = {
  ...publicClient,
  client_name: 'Codex',
  client_uri: 'https://chatgpt.com/codex',
  application_type: 'native',
}

/** Every copy there is; of those that fit an id, the first counts. */
export const pinnedDocuments: readonly PinnedDocument[] = [
  {
    id: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    seen: '2026-09',
    members: {
      ...publicClient,
      client_name: 'Claude',
      client_uri: 'https://claude.ai',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
    },
  },
  {
    id: 'https://claude.ai/oauth/claude-code-client-metadata',
    seen: '2026-09',
    members: {
      ...publicClient,
      client_name: 'Claude Code',
      client_uri: 'https://claude.ai',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    },
    alsoRedirectsTo: ['claude://claude.ai/mcp-auth-callback/sdk'],
  },
  {
    id: 'https://chatgpt.com/oauth/client.json',
    seen: '2026-09',
    members: {
      ...chatGpt,
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    },
  },
  {
    id: 'https://chatgpt.com/oauth/codex/client.json',
    seen: '2026-11',
    source: 'published fixtures',
    members: {
      ...codex,
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    },
  },
  {
    id: 'https://chatgpt.com/oauth/{id}/client.json',
    seen: '2026-11',
    source: 'OpenAI documentation, Plugins: Auth',
    members: { ...chatGpt, redirect_uris: ['https://chatgpt.com/connector/oauth/{id}'] },
  },
  {
    id: 'https://chatgpt.com/oauth/codex/{id}/client.json',
    seen: '2026-11',
    source: 'published fixtures',
    members: {
      ...codex,
      redirect_uris: ['http://127.0.0.1/callback/{id}', 'http://localhost/callback/{id}'],
    },
  },
  {
    id: 'https://vscode.dev/oauth/client-metadata.json',
    seen: '2026-09',
    members: {
      ...publicClient,
      client_name: 'Visual Studio Code',
      client_uri: 'https://vscode.dev/product',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    },
  },
  {
    id: 'https://opencode.ai/oauth/opencode/client.json',
    seen: '2026-11',
    source: 'published fixtures',
    members: {
      ...publicClient,
      client_name: 'opencode',
      client_uri: 'https://opencode.ai',
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    },
  },
]

/** A copy as it is used. */
export interface PinnedCopy {
  /** The document, as its server would send it. */
  readonly text: string
  /** Redirect URIs that hold besides those of the document, the original's too. */
  readonly alsoRedirectsTo: readonly string[]
  /** Whether it stands for one id alone. The others are without number: anybody can make one up. */
  readonly isOnlyOne: boolean
}

const placeholder = '{id}'

/** The copy for a client id; undefined when its vendor is not among them. */
export function findPinnedDocument(clientId: string): PinnedCopy | undefined {
  for (const { id, members, alsoRedirectsTo = [] } of pinnedDocuments) {
    const segment = matchId(clientId, id)
    if (segment === undefined) continue
    const text = JSON.stringify({ client_id: clientId, ...members })
    return {
      text: text.replaceAll(placeholder, segment),
      alsoRedirectsTo,
      isOnlyOne: segment === '',
    }
  }
  return undefined
}

/** What stands in place of the placeholder, empty where there is none; undefined when it is another id. */
function matchId(clientId: string, pattern: string): string | undefined {
  if (clientId === pattern) return clientId.includes(placeholder) ? undefined : ''
  const [before = '', after] = pattern.split(placeholder)
  if (after === undefined) return undefined
  const fits = clientId.startsWith(before) && clientId.endsWith(after)
  const segment = fits ? clientId.slice(before.length, -after.length) : ''
  return /^[\w-]{1,64}$/.test(segment) ? segment : undefined
}
