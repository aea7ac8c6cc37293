/** Reads the checkout's own files as text, for tests about how the code is laid out. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const generated =
  /^(node_modules|dist|coverage|\.git|\.node24|\.artifacts|gatehouse-data|demo-data)$/

/** Paths of all files below a folder of the checkout, relative to its root, with `/` between the parts. */
export function listFiles(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const path = relative(root, join(root, folder, entry.name))
      .split(sep)
      .join('/')
    if (entry.isDirectory()) return generated.test(entry.name) ? [] : listFiles(path)
    return [path]
  })
}

/** The text of a file of the checkout. */
export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** One token that could hide other text: a comment, a quoted string, a template, a regular expression. */
const opaque =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=(?:[=(,:[!&|?{};+]|return|=>)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

/** The source with its comments taken out and its line breaks kept. */
export function stripComments(source: string): string {
  return source.replace(opaque, (text) => {
    const isComment = text.startsWith('//') || text.startsWith('/*')
    return isComment ? text.replace(/[^\n]/g, '') : text
  })
}

/** The source without comments and without the inside of strings, templates and regular expressions. */
export function stripText(source: string): string {
  return source.replace(opaque, (text) => {
    const isComment = text.startsWith('//') || text.startsWith('/*')
    return (isComment ? '' : "''") + text.replace(/[^\n]/g, '')
  })
}

/** The module specifiers a source imports from, static, dynamic, re-exported and in types. */
export function findImports(source: string): string[] {
  const specifier = /\bfrom\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g
  return [...stripComments(source).matchAll(specifier)].map((match) => match[1] ?? match[2] ?? '')
}
