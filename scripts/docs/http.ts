/** The page of endpoints, from the rows of `src/routes.ts`. */
import { resolveEndpointPaths } from '../../src/oauth/endpoint-paths.ts'
import { createRoutes, type Route } from '../../src/routes.ts'

function renderRow({ method, path, errors, cors }: Route): string {
  const origins = cors ? 'any origin' : '-'
  return `| ${method === '*' ? 'all' : method} | \`${path}\` | ${errors} | ${origins} |`
}

/** `docs/reference/http.md`. */
export function renderHttp(): string {
  const path = '/mcp'
  const routes = createRoutes({
    oauthEnabled: true,
    paths: resolveEndpointPaths(),
    registration: { mode: 'dynamic' },
    backends: [
      {
        id: 'mcp',
        name: 'mcp',
        path,
        resource: `http://localhost:8787${path}`,
        to: new URL('http://127.0.0.1:3000/mcp'),
        identity: 'none',
        headers: {},
      },
    ],
  })
  return `# Endpoints

Made from \`src/routes.ts\` by \`npm run docs\`, for one backend at \`${path}\`. Nothing else is served. *errors* says how an
error is shown: JSON, a \`WWW-Authenticate\` challenge, or a page (JSON for callers that do not accept \`text/html\`). *browsers* says whether scripts of other
origins may call it; the gate at \`${path}\` answers preflights itself.

| method | path | errors | browsers |
|---|---|---|---|
${routes.map(renderRow).join('\n')}
`
}
