/** Shows a page in the browser of whoever sits at this machine. */
import { spawn } from 'node:child_process'
import { hasDisplay } from '../operate/config/display.ts'

/**
 * Opens a page; without a display, or a program for it, nothing happens.
 *
 * @param url http or https only: it comes from a server, and other schemes start programs
 * @returns whether it was tried
 */
export function openPage(url: string): boolean {
  if (!/^https?:\/\//.test(url) || !hasDisplay()) return false
  const [program, ...args] = toCommand(url)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined).unref()
  return true
}

/** On Windows without a shell, to which the `&` of a query would be the end of the command. */
function toCommand(url: string): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open', url]
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url]
  return ['xdg-open', url]
}
