/** Servers that nobody reaches, or not everybody. */
import { at, type Broken, below, paths, redirect } from './broken.ts'
import { origin, type Reply } from './healthy.ts'

const daySeconds = 86_400
const nowSeconds = Math.floor(Date.now() / 1000)

export const unreached: readonly Broken[] = [
  {
    name: 'a name that does not exist',
    host: { kind: 'name-not-found', detail: 'the name has no address in DNS' },
    failure: { kind: 'name-not-found', detail: 'the name has no address in DNS' },
    finds: ['name-not-found'],
    stops: ['chatgpt', 'claude', 'claude-code', 'vscode', 'cursor', 'codex'],
  },
  {
    name: 'a closed port',
    failure: { kind: 'refused', detail: 'nothing listens there' },
    finds: ['connection-refused'],
    stops: ['chatgpt', 'claude-code'],
    words: { chatgpt: /^Error creating connector$/ },
  },
  {
    name: 'a firewall that drops everything',
    failure: { kind: 'timeout', detail: 'no connection came about in time' },
    finds: ['no-answer'],
    stops: ['chatgpt', 'codex'],
    says: /firewall/,
  },
  {
    name: 'a server that takes the connection and hangs',
    failure: { kind: 'silent', detail: 'the connection was accepted' },
    finds: ['accepted-without-answer'],
    stops: ['chatgpt', 'codex'],
    words: { chatgpt: /^Error creating connector$/ },
  },
  {
    name: 'a port of another protocol',
    failure: { kind: 'tls', detail: 'the TLS handshake failed' },
    finds: ['broken-answer'],
    stops: ['chatgpt', 'codex'],
  },
  {
    name: 'IPv6 only',
    host: { ipv4: [], ipv6: ['2606:4700::6810:84e5'] },
    finds: ['ipv6-only'],
    stops: ['claude'],
    spares: ['claude-code', 'vscode'],
    says: /2606:4700/,
  },
  {
    name: 'IPv6 only, seen from a network without IPv6',
    host: { ipv4: [], ipv6: ['2606:4700::6810:84e5'] },
    failure: { kind: 'unreachable', detail: 'no route leads to its network' },
    finds: ['ipv6-only'],
    stops: ['claude'],
  },
  {
    name: 'a private address',
    host: { ipv4: ['192.168.1.20'], isPublic: false },
    finds: ['private-address'],
    stops: ['chatgpt', 'claude'],
    spares: ['claude-code', 'codex', 'vscode'],
    words: { chatgpt: /Unsafe URL|Error creating connector|Something went wrong/ },
  },
  {
    name: 'another port than 443',
    url: 'https://mcp.example.com:8443/mcp',
    alter: below('/', (reply) => rewrite(reply, `${origin}:8443`)),
    finds: ['port-not-443'],
    stops: ['claude'],
    spares: ['claude-code', 'codex'],
  },
  {
    name: 'a certificate that nobody renewed',
    host: {
      certificate: {
        subject: 'mcp.example.com',
        issuer: "Let's Encrypt",
        validFrom: nowSeconds - 85 * daySeconds,
        validTo: nowSeconds + 5 * daySeconds,
      },
    },
    finds: ['certificate-ends-soon'],
  },
  {
    name: 'http without TLS at all',
    url: 'http://mcp.example.com/mcp',
    host: { port: 80 },
    alter: below('/', (reply) => rewrite(reply, 'http://mcp.example.com')),
    finds: ['plain-http'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'http typed at a server that answers both',
    url: 'http://mcp.example.com/mcp',
    host: { port: 80 },
    finds: ['plain-http'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'http redirected to https on every path',
    url: 'http://mcp.example.com/mcp',
    host: { port: 80 },
    alter: below('/', (_, { url }) => redirect(url.href.replace('http:', 'https:'), 301)),
    finds: ['redirect-to-https'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'http in place of https',
    url: 'http://mcp.example.com/mcp',
    alter: at(paths.mcp, (reply, { url }) =>
      url.protocol === 'http:' ? redirect(`${origin}/mcp`, 308) : reply,
    ),
    finds: ['redirect-to-https'],
    stops: ['chatgpt', 'claude'],
    says: /Give clients https:\/\/mcp\.example\.com\/mcp/,
  },
]

/** The documents of a server that knows itself by another origin. */
function rewrite(reply: Reply, to: string): Reply {
  const text = JSON.stringify(reply).replaceAll(origin, to)
  return JSON.parse(text) as Reply
}
