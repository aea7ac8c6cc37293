/** Texts of a report as they may stand on its page. */
import { writeOut, writeOutHidden } from '../../platform/printable.ts'

/** A text on one line: control, invisible and bidirectional characters are written out. */
export function show(text: string): string {
  return writeOutHidden(text.replace(/[\u0000-\u001f]/g, writeOut))
}

/** A text with its lines, cut after `limit` characters. */
export function showLines(text: string, limit: number): string {
  const cut =
    text.length > limit ? `${text.slice(0, limit)}\n… ${text.length - limit} more characters` : text
  const lines = cut.replaceAll('\r\n', '\n').replace(/[\u0000-\u0008\u000b-\u001f]/g, writeOut)
  return writeOutHidden(lines)
}

/** `2026-11-21 09:30`. */
export function showTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}

/** `1 client`, `2 clients`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
