/** The known word that a mistyped one was probably meant to be, or undefined when none is near. */
export function findSimilar(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: countEdits(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  if (best === undefined) return undefined
  const allowed = Math.min(Math.max(2, word.length / 4), best.candidate.length / 2)
  return best.distance <= allowed ? best.candidate : undefined
}

/** Levenshtein distance, case ignored; words are cut at 64 characters. */
function countEdits(from: string, to: string): number {
  const left = from.slice(0, 64).toLowerCase()
  const right = to.slice(0, 64).toLowerCase()
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
