/** The report in a real browser: what a hostile server answered stays text, and people can read the rest. */
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { HtmlReport } from '../../src/doctor/report-html/html-report.ts'
import { renderHtmlReport } from '../../src/doctor/report-html.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { hostile, ordinary } from './report-fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

const screens = {
  desk: { viewport: { width: 1200, height: 900 }, colorScheme: 'light' },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
} as const

/** Opens the report with everything unfolded; what it asks for and says is kept. */
async function show(report: HtmlReport, screen: keyof typeof screens) {
  const context = await browser.newContext(screens[screen])
  const page = await context.newPage()
  const noise: string[] = []
  page.on('request', (request) => noise.push(`asks for ${request.url()}`))
  page.on('dialog', (dialog) => noise.push(`says ${dialog.message()}`))
  page.on('console', (message) => noise.push(message.text()))
  await page.setContent(renderHtmlReport(report))
  for (const summary of await page.locator('summary').all()) await summary.click()
  return { page, noise, close: () => context.close() }
}

function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
}

describe('the report in a browser', () => {
  it.each(['desk', 'phone'] as const)(
    'is readable on a %s, also for assistive technology',
    async (screen) => {
      const { page, noise, close } = await show(ordinary, screen)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
      expect(await isTooWide(page)).toBe(false)
      expect(noise).toEqual([])
      await close()
    },
  )

  it('is complete on paper: what is folded on the screen is not', async () => {
    const context = await browser.newContext(screens.desk)
    const page = await context.newPage()
    await page.setContent(renderHtmlReport(ordinary))
    const evidence = page.getByText('content-type: text/html')
    expect(await evidence.isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print' })
    const height = (await page.locator('details').first().boundingBox())?.height ?? 0
    expect(height).toBeGreaterThan(120)
    await context.close()
  })

  it.each(['desk', 'phone'] as const)(
    'keeps a hostile server to text on a %s (CN-11)',
    async (screen) => {
      const { page, noise, close } = await show(hostile, screen)
      expect(noise).toEqual([])
      expect(await page.title()).toContain('Gatehouse doctor')
      expect(await page.locator('script, img, svg, iframe, form').count()).toBe(0)
      expect(await page.locator('.page > *').count()).toBe(3)
      expect(await isTooWide(page)).toBe(false)
      await close()
    },
  )
})
