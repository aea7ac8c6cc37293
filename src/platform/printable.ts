/** Characters that could forge or hide a part of a text where people read it: a terminal, a log, a page. */

/** C1 controls, line separators, zero-width and bidirectional characters. */
const hidden =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** Writes them out, as in `\u202e`; line ends, tabs and other C0 controls stay. */
export function writeOutHidden(text: string): string {
  return text.replace(hidden, writeOut)
}

/** One character as its code, as JSON writes it. */
export function writeOut(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
