/**
 * Takes a picture of every page, at phone and desktop width, in light and dark, so that a person can
 * look at them: `node scripts/screenshot-pages.ts [name …]` writes PNG files below `.artifacts/pages/`.
 *
 * It needs a Chromium: `/usr/bin/chromium`, or the one named in `CHROMIUM`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../test/helpers/chromium.ts'
import { showPage } from '../test/server/pages/browser.ts'
import { samples } from '../test/server/pages/samples.ts'

const folder = join(import.meta.dirname, '..', '.artifacts', 'pages')
const widths = [390, 1200]
const schemes = ['light', 'dark'] as const

async function takePictures(browser: Browser, width: number, scheme: 'light' | 'dark') {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 844 },
    deviceScaleFactor: width < 500 ? 2 : 1,
  })
  const wanted = process.argv.slice(2)
  const names = wanted.length > 0 ? wanted : Object.keys(samples)
  for (const name of names) {
    const render = samples[name]
    if (render === undefined) throw new TypeError(`No page is called "${name}"`)
    const page = await showPage(context, render())
    await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
    await page.close()
  }
  await context.close()
}

await mkdir(folder, { recursive: true })
const browser = await launchChromium()
for (const width of widths) {
  for (const scheme of schemes) await takePictures(browser, width, scheme)
}
await browser.close()
console.log(`Wrote pictures of the pages to ${folder}`)
