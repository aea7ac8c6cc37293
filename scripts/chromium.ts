/**
 * Brings Chromium for the browser tests.
 *
 * `CHROMIUM` names an executable; otherwise the usual names are looked for on the `PATH`
 * and in the usual places.
 */
import { bringProgram, type Program } from './packages.ts'

const chromium: Program = {
  variable: 'CHROMIUM',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  places: [
    '/usr/bin/chromium',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
}

/** The path of a Chromium or Chrome executable; undefined when there is none and none may be installed. */
export function bringChromium(): string | undefined {
  return bringProgram(chromium, ['chromium', 'fonts-liberation'])
}
