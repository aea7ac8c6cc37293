/** The page of error codes, from the table in `src/errors.ts`. */
import { errorStatus } from '../../src/errors.ts'

/** `docs/reference/errors.md`. */
export function renderErrors(): string {
  const rows = Object.entries(errorStatus).map(([code, status]) => `| \`${code}\` | ${status} |`)
  return `# Error codes

Made from \`src/errors.ts\` by \`npm run docs\`. An error is JSON with \`error\` and \`error_description\` at the
token, registration, revocation and introspection endpoints, a \`WWW-Authenticate\` challenge at the gate, a
page in the browser, and a redirect with \`error\`, \`state\` and \`iss\` once the redirect URI is trusted.
A fault that will pass is always \`temporarily_unavailable\` with \`Retry-After\`: clients keep their tokens then.

| code | status unless the case calls for another |
|---|---|
${rows.join('\n')}
`
}
