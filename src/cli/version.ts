import { readFileSync } from 'node:fs'

/** The version in `package.json`. */
export function readVersion(): string {
  return readPackage().version
}

/** How a part of Gatehouse names itself to servers: `mcp-gatehouse-doctor/1.0.0 (+https://…)`. */
export function readUserAgent(part: string): string {
  const { name, version, repository } = readPackage()
  const address = typeof repository === 'string' ? repository : repository?.url
  const where = address === undefined ? '' : ` (+${address.replace(/^git\+|\.git$/g, '')})`
  return `${name}-${part}/${version}${where}`
}

/** The members of `package.json` that are read here. */
interface Package {
  readonly name: string
  readonly version: string
  readonly repository?: string | { readonly url: string }
}

function readPackage(): Package {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return JSON.parse(text) as Package
}
