/** Patterns of names: letters stand for themselves, `*` for any run. In URIs `*` stops at `/` and `**` does not. */

/** Whether a name fits. Takes time in proportion to name and pattern, whatever stands in either (DS-05). */
export type Fits = (name: string) => boolean

/** One letter, or a run of letters of which `/` is one or not. */
type Part = string | { readonly crosses: boolean }

/**
 * The spelling in which names and patterns are compared: whatever case, width and outer space.
 *
 * A backend that is generous with names would otherwise do for `Delete_Note` what was refused for
 * `delete_note`; one that is not has no such tool.
 */
export function toComparable(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** Compiles a pattern for names of tools, prompts and methods: `*` is any run of letters. */
export function compileNamePattern(pattern: string): Fits {
  return compileParts(toParts(pattern, () => true))
}

/**
 * Compiles a pattern for URIs: `*` is any run of letters but `/`, `**` any run at all. A pattern without
 * `?` and `#` is about the resource whatever query or fragment stands behind it.
 */
export function compileUriPattern(pattern: string): Fits {
  const fits = compileParts(toParts(pattern, (stars) => stars.length > 1))
  if (/[?#]/.test(pattern)) return fits
  return (uri) => fits(uri) || fits(uri.replace(/[?#].*$/s, ''))
}

function toParts(pattern: string, crosses: (stars: string) => boolean): Part[] {
  const runs = toComparable(pattern).match(/\*+|[^*]+/g) ?? []
  return runs.flatMap((run): Part[] =>
    run.startsWith('*') ? [{ crosses: crosses(run) }] : run.split(''),
  )
}

function compileParts(parts: readonly Part[]): Fits {
  if (parts.every((part) => typeof part === 'string')) {
    const only = parts.join('')
    return (name) => name === only
  }
  return (name) => runParts(parts, name)
}

/** Walks the name once with every place in the pattern that it may have reached (Thompson's construction). */
function runParts(parts: readonly Part[], name: string): boolean {
  let reached = new Uint8Array(parts.length + 1)
  reached[0] = 1
  skipStars(parts, reached)
  for (const letter of name.split('')) {
    const next = new Uint8Array(parts.length + 1)
    for (const [at, part] of parts.entries()) {
      if (!reached[at]) continue
      if (typeof part === 'string') next[at + 1] = part === letter ? 1 : (next[at + 1] ?? 0)
      else if (part.crosses || letter !== '/') next[at] = 1
    }
    skipStars(parts, next)
    reached = next
  }
  return reached[parts.length] === 1
}

/** A run may be empty. */
function skipStars(parts: readonly Part[], reached: Uint8Array): void {
  for (const [at, part] of parts.entries()) {
    if (reached[at] && typeof part !== 'string') reached[at + 1] = 1
  }
}
