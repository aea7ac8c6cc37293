/**
 * Peers that are installed in this folder only, with a lock of their own: 25 packages, half of them there
 * because a peer dependency is pinned, which nobody needs who does not measure.
 *
 * `npm ci --ignore-scripts --prefix bench/peers`
 */
import { existsSync } from 'node:fs'

/** How to install them. */
export const installCommand = 'npm ci --ignore-scripts --prefix bench/peers'

/** Whether they are installed. */
export function arePeersInstalled(): boolean {
  return existsSync(new URL('./node_modules', import.meta.url))
}

/** The exports of one of them; `T` is the part of them that is used. */
export async function loadPeer<T>(name: string): Promise<T> {
  return (await import(name)) as T
}
