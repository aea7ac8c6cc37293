/** The storage schema, from the header comment and the record types of each file of `src/storage/records/`. */
import { readdirSync, readFileSync } from 'node:fs'

const folder = 'src/storage/records'

/** The first block comment of a source, without its stars. */
function findHeader(source: string): string {
  const text = /^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? ''
  const lines = text.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  return lines
    .join('\n')
    .trim()
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
}

function findRecords(source: string): string[] {
  return [...source.matchAll(/defineRecord<([\s\S]*?)>\(\s*'([^']+)'/g)].map(
    ([, type = '', prefix = '']) => `| \`${prefix}/…\` | \`${type.replace(/\s+/g, ' ')}\` |`,
  )
}

function renderFile(name: string): string {
  const source = readFileSync(`${folder}/${name}`, 'utf8')
  const table = ['| key | value (JSON) |', '|---|---|', ...findRecords(source)].join('\n')
  const title = name.replace(/\.ts$/, '').replaceAll('-', ' ')
  return `## ${title}\n\n${findHeader(source)}\n\n${table}\n\nFields: [${folder}/${name}](../${folder}/${name})\n`
}

/** `docs/storage-schema.md`. */
export function renderStorageSchema(): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'record.ts')
  return `# Storage schema

Made from \`src/storage/records/\` by \`npm run docs\`. A store maps keys to JSON text and has no other structure;
every driver holds the same keys. Times are unix seconds, hashes are SHA-256 in base64url, keyed hashes
are HMAC-SHA-256 under a key of the installation, and a field whose name begins with \`sealed\` is encrypted.
A change of a stored format is at least a minor release and has a line in the changelog.

${files.sort().map(renderFile).join('\n')}`
}
