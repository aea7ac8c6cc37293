/** A real Chromium for tests: it makes no connection of its own accord, and none that leaves this machine. */
import { type Browser, chromium } from 'playwright-core'

/** Names below `.example` are this machine, so that sites can be foreign to each other; no other name exists. */
const hostRules = [
  'MAP *.example 127.0.0.1',
  'EXCLUDE localhost',
  'EXCLUDE 127.0.0.1',
  'MAP * ~NOTFOUND',
].join(', ')

/** Starts a headless Chromium: the one in `CHROMIUM`, or Debian's. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${hostRules}`,
    ],
  })
}
