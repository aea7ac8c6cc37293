/** The rules for our public origin and for the addresses of backends, shared by file, environment and flags. */
import ipaddr from 'ipaddr.js'

/**
 * The bare origin that a configured public URL stands for, or what is wrong with it. A single slash at
 * the end is forgiven: it is what people copy from a browser.
 */
export function parsePublicUrl(text: string): { origin: string } | { problem: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !isHttp(url))
    return { problem: 'must be a URL such as https://mcp.example.com' }
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || /[?#]/.test(text)) {
    return { problem: `must be a bare origin: ${url.origin}, without path, query or credentials` }
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    return {
      problem: `must begin with https:// (http:// is for localhost only): https://${url.host}`,
    }
  }
  return { origin: url.origin }
}

/** What is wrong with the address of a backend, if anything. */
export function findBackendUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !isHttp(url)) {
    return 'must be the http(s) URL of an MCP server, such as http://127.0.0.1:3000/mcp'
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not contain credentials: put them into the headers of the backend'
  }
  if (text.includes('#')) return 'must not contain a fragment (#)'
  return undefined
}

/** Whether a host name or address (brackets allowed) is this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback'
}

function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:'
}
