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

/** What stands before the first star is compared at once: most names fail there, and most patterns end there. */
function compileParts(parts: readonly Part[]): Fits {
  const firstStar = parts.findIndex((part) => typeof part !== 'string')
  const letters = firstStar === -1 ? parts : parts.slice(0, firstStar)
  const prefix = letters.filter((part) => typeof part === 'string').join('')
  const rest = parts.slice(prefix.length)
  const [star, ...others] = rest
  if (star === undefined) return (name) => name === prefix
  if (typeof star !== 'string' && star.crosses && others.length === 0)
    return (name) => name.startsWith(prefix)
  return (name) => name.startsWith(prefix) && runParts(rest, name.slice(prefix.length))
}

/** Walks the name once with every place in the pattern that it may have reached (Thompson's construction). */
function runParts(parts: readonly Part[], name: string): boolean {
  let reached: Uint8Array = skipStars(parts, Uint8Array.of(1, ...parts.map(() => 0)))
  let next: Uint8Array = new Uint8Array(reached.length)
  for (let index = 0; index < name.length; index += 1) {
    const letter = name[index]
    next.fill(0)
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at]
      if (reached[at] === 0 || part === undefined) continue
      if (part === letter) next[at + 1] = 1
      if (typeof part !== 'string' && (part.crosses || letter !== '/')) next[at] = 1
    }
    ;[reached, next] = [skipStars(parts, next), reached]
  }
  return reached[parts.length] === 1
}

/** A run may be empty. */
function skipStars(parts: readonly Part[], reached: Uint8Array): Uint8Array {
  for (let at = 0; at < parts.length; at += 1) {
    if (reached[at] === 1 && typeof parts[at] !== 'string') reached[at + 1] = 1
  }
  return reached
}
