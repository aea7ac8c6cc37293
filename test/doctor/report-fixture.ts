/** Reports to draw: an ordinary one, and one of a server that tries everything. */
import type { Observation } from '../../src/doctor/observation.ts'
import type { HtmlReport } from '../../src/doctor/report-html/html-report.ts'

/** One answer of a server. */
export function toSeen(body: string, headers: Record<string, string> = {}): Observation {
  const seen = { status: 200, headers: { 'content-type': 'text/html', ...headers }, body }
  return {
    request: {
      method: 'GET',
      url: 'https://notes.example/.well-known/oauth-protected-resource/mcp',
      headers: { accept: 'application/json', 'mcp-protocol-version': '2025-11-25' },
    },
    response: seen,
    milliseconds: 41.6,
  }
}

/** What a doctor found on an ordinary day. */
export const ordinary: HtmlReport = {
  url: 'https://notes.example/mcp',
  visitedAt: 1_795_250_000,
  version: '0.1.0',
  requests: 23,
  verdicts: [
    { client: { id: 'claude', name: 'Claude' }, outcome: 'connects' },
    {
      client: { id: 'chatgpt', name: 'ChatGPT' },
      outcome: 'stumbles',
      step: 'discover',
      finding: 'resource-metadata-html',
      words: 'Something went wrong. MCP server does not implement OAuth',
    },
    {
      client: { id: 'copilot', name: 'Copilot Studio' },
      outcome: 'unknown',
      reason: 'somebody has to type a client id into it',
    },
  ],
  findings: [
    {
      id: 'resource-metadata-html',
      severity: 'fault',
      title: 'The protected-resource metadata is a web page',
      seen: 'GET https://notes.example/.well-known/oauth-protected-resource/mcp was answered 200 with text/html.',
      why: 'Clients parse the answer as JSON and stop.',
      fix: 'Answer 404 where there is no document, or the document with Content-Type: application/json.',
      gatehouse: 'publicUrl',
      evidence: [toSeen('<!doctype html><title>Notes</title><p>Welcome')],
      breaks: ['metadata-is-json'],
      clients: [
        { name: 'ChatGPT', words: 'Something went wrong' },
        { name: 'Claude', words: 'Couldn’t reach the MCP server' },
        { name: 'Claude Code', words: 'Couldn’t reach the MCP server' },
      ],
    },
    {
      id: 'token-cacheable',
      severity: 'risk',
      title: 'The token answer may be stored by caches',
      seen: 'Cache-Control is missing.',
      why: 'A proxy in between may keep the tokens of one person and hand them to another.',
      fix: 'Answer with Cache-Control: no-store (RFC 6749 §5.1).',
      evidence: [],
      breaks: [],
    },
    {
      id: 'revocation-missing',
      severity: 'note',
      title: 'There is no revocation endpoint',
      seen: 'The metadata has no revocation_endpoint.',
      why: 'Who presses “Disconnect” takes the tokens from the client only.',
      fix: 'Offer a revocation endpoint and name it in the metadata (RFC 7009).',
      evidence: [],
      breaks: [],
    },
  ],
  leftBehind: [{ client: 'ChatGPT', clientId: 'a1b2c3d4' }],
  documentsShown: [{ client: 'Zed' }],
}

const script = '<script>document.title="owned"</script><img src=x onerror="document.title=1">'
const attribute = '"><svg onload=alert(1)>'
/** Would turn the rest of a line around, and hide a part of it. */
const bidi = '\u202egnp.exe\u2066\u200b'

/** What a server answers that wants the reader's browser. */
export const hostile: HtmlReport = {
  ...ordinary,
  url: `https://notes.example/${attribute}${bidi}`,
  verdicts: ordinary.verdicts.map((verdict) => ({ ...verdict, words: script + bidi })),
  findings: ordinary.findings.map((finding) => ({
    ...finding,
    seen: `error_description is ${script}${attribute}${bidi}`,
    fix: script,
    evidence: [
      toSeen(`${script}\u0000\u001b[31m${bidi}${'</pre></details>'}${'A'.repeat(200_000)}`, {
        'x-evil': `${attribute}${'B'.repeat(50_000)}`,
        [script]: attribute,
      }),
    ],
  })),
  leftBehind: [{ client: script, clientId: attribute }],
  documentsShown: [{ client: script }],
}
