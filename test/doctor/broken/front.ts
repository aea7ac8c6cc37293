/** Servers with something in front that answers in their place. */
import { at, type Broken, below, paths, redirect } from './broken.ts'
import { origin, page } from './healthy.ts'

const justAMoment = {
  status: 403,
  headers: { 'content-type': 'text/html', 'cf-mitigated': 'challenge', server: 'cloudflare' },
  body: '<!DOCTYPE html><title>Just a moment...</title>',
}

const access =
  'https://team.cloudflareaccess.com/cdn-cgi/access/login/mcp.example.com?kid=1&redirect_url=%2Fmcp'

export const fronted: readonly Broken[] = [
  {
    name: 'the bot challenge of Cloudflare on every path',
    alter: below('/', () => justAMoment),
    finds: ['bot-challenge'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex'],
    says: /Cloudflare/,
  },
  {
    name: 'the bot challenge of Cloudflare on registration alone',
    alter: at(paths.register, () => justAMoment),
    finds: ['bot-challenge'],
    stops: ['chatgpt'],
    spares: ['claude', 'claude-code', 'codex'],
    says: /POST https:\/\/mcp\.example\.com\/register/,
  },
  {
    name: 'the bot challenge of DataDome on every path',
    alter: below('/', () => ({
      ...page('Access denied', 403),
      headers: { 'content-type': 'text/html', 'x-datadome': 'protected' },
    })),
    finds: ['bot-challenge'],
    stops: ['chatgpt', 'claude', 'codex'],
    says: /a page of DataDome/,
  },
  {
    name: 'the warning page of a free ngrok tunnel',
    alter: below('/', () => ({
      ...page('You are about to visit mcp.example.com, ERR_NGROK_6024'),
      headers: { 'content-type': 'text/html', 'ngrok-error-code': 'ERR_NGROK_6024' },
    })),
    finds: ['tunnel-warning'],
    stops: ['chatgpt', 'claude'],
  },
  {
    name: 'an ngrok tunnel whose program has stopped',
    alter: below('/', () => ({
      ...page('The endpoint is offline. ERR_NGROK_3200', 404),
      headers: { 'content-type': 'text/html', 'ngrok-error-code': 'ERR_NGROK_3200' },
    })),
    finds: ['tunnel-offline'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'a Cloudflare tunnel whose program has stopped',
    alter: below('/', () => page('Cloudflare Tunnel error', 530)),
    finds: ['tunnel-offline'],
    stops: ['chatgpt', 'claude', 'codex'],
  },
  {
    name: 'Cloudflare Access in front of everything',
    alter: below('/', () => redirect(access)),
    finds: ['sign-in-redirect'],
    stops: ['chatgpt', 'claude', 'claude-code', 'codex'],
    says: /cloudflareaccess\.com/,
  },
  {
    name: 'the login page of a web framework',
    alter: at(paths.mcp, () => redirect('/accounts/login/?next=/mcp')),
    finds: ['sign-in-redirect'],
    stops: ['chatgpt', 'claude', 'claude-code'],
  },
  {
    name: 'discovery limited by address',
    alter: below('/.well-known/', () => ({ status: 429, headers: { 'retry-after': '60' } })),
    finds: ['discovery-limited'],
    stops: ['chatgpt', 'codex'],
  },
  {
    name: 'a redirect to the host with www',
    alter: below('/', (_, { url }) => redirect(`https://www.example.com${url.pathname}`, 301)),
    finds: ['redirect-to-other-host'],
    stops: ['chatgpt', 'claude'],
    says: /https:\/\/www\.example\.com\/mcp/,
  },
  {
    name: 'a 307 that adds a slash to the MCP path',
    alter: at(paths.mcp, () => redirect(`${origin}/mcp/`, 307)),
    finds: ['redirect-on-mcp-path'],
    stops: ['chatgpt', 'claude'],
    says: /https:\/\/mcp\.example\.com\/mcp\//,
  },
]
