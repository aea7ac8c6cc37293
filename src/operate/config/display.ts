/** Whether a browser could show something here. */
import type { Environment } from './load.ts'

/**
 * Whether this machine has a screen that a program of ours may open a page on: always on macOS and Windows,
 * elsewhere with X or Wayland.
 */
export function hasDisplay(env: Environment = process.env, platform = process.platform): boolean {
  if (platform === 'darwin' || platform === 'win32') return true
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}
