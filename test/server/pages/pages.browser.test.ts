import AxeBuilder from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toResponse } from '../../../src/platform/web-exchange.ts'
import { renderConsentPage } from '../../../src/server/pages/consent.ts'
import { launchChromium } from '../../helpers/chromium.ts'
import { pageOrigin, showPage } from './browser.ts'
import { consentView, hostileView, samples } from './samples.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
}, 60_000)

afterAll(() => browser.close())

/** Runs a check in a fresh browser profile, and closes it whatever happens. */
async function inContext<T>(
  options: Parameters<Browser['newContext']>[0],
  check: (context: BrowserContext) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext(options)
  try {
    return await check(context)
  } finally {
    await context.close()
  }
}

/** What axe finds, as `rule: element`; in dark only the colours differ from light. */
async function findFaults(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true)
  if (colorScheme === 'dark') axe.withRules(['color-contrast', 'link-in-text-block'])
  const { violations } = await axe.analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`))
}

/** Elements that can be pressed and are lower than a finger, by their markup. */
function findSmallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('button:not([hidden]), a, summary, label.check, .field input')]
      .filter((element) => element.getBoundingClientRect().height < 44)
      .map((element) => element.outerHTML),
  )
}

describe('each page', () => {
  it.each(Object.entries(samples))(
    '%s has nothing that axe finds, light or dark, and fits the narrowest phone',
    async (_name, render) => {
      // Colours that are still changing from one scheme to the other have no contrast to judge.
      const phone = { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' } as const
      await inContext(phone, async (context) => {
        const page = await showPage(context, render())
        for (const summary of await page.locator('summary').all()) await summary.click()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          expect(await findFaults(page, colorScheme), colorScheme).toEqual([])
        }
        expect(await findSmallTargets(page)).toEqual([])
        await page.setViewportSize({ width: 320, height: 640 })
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        expect(width, 'no sideways scrolling, however long the words').toBeLessThanOrEqual(320)
      })
    },
    30_000,
  )
})

describe('the pages in Chromium', () => {
  it('show hostile metadata as text and run none of it (CN-11)', async () => {
    await inContext({}, async (context) => {
      const complaints: string[] = []
      context.on('console', (message) => complaints.push(message.text()))
      context.on('dialog', (dialog) => dialog.dismiss().then(() => complaints.push('dialog')))
      const page = await showPage(context, toResponse(renderConsentPage(hostileView)))
      expect(await page.locator('script, img, iframe, object, a').count()).toBe(0)
      expect(await page.locator('h1 bdi').first().textContent()).toBe(hostileView.client.name)
      expect(await page.locator('.uri').textContent()).toBe(hostileView.redirect.uri)
      expect(await page.locator('input[name=csrf]').inputValue()).toBe(hostileView.form.csrf)
      expect(await page.locator('input[name=scope]').first().inputValue()).toBe(
        hostileView.scopes[0]?.name,
      )
      expect(complaints).toEqual([])
    })
  })

  it('apply their stylesheet under their own policy', async () => {
    await inContext({}, async (context) => {
      const page = await showPage(context, toResponse(renderConsentPage(consentView)))
      const card = page.locator('main')
      expect(await card.evaluate((main) => getComputedStyle(main).borderRadius)).toBe('16px')
    })
  })

  it('post what was ticked and the button that was pressed, without script', async () => {
    await inContext({ javaScriptEnabled: false }, async (context) => {
      const page = await showPage(context, toResponse(renderConsentPage(consentView)))
      await page.getByRole('checkbox', { name: 'Add notes' }).uncheck()
      const posted = page.waitForRequest(`${pageOrigin}/consent`)
      await page.getByRole('button', { name: 'Allow' }).click()
      const body = new URLSearchParams((await posted).postData() ?? '')
      expect([...body]).toEqual([
        ['flow', 'flow-4f9c'],
        ['csrf', 'csrf-77aa'],
        ['scope', 'notes:read'],
        ['decision', 'allow'],
      ])
    })
  })

  it('decide nothing when Enter is pressed in a checkbox', async () => {
    await inContext({}, async (context) => {
      const page = await showPage(context, toResponse(renderConsentPage(consentView)))
      const decisions: (string | null)[] = []
      page.on('request', (request) => {
        decisions.push(new URLSearchParams(request.postData() ?? '').get('decision'))
      })
      await page.getByRole('checkbox', { name: 'Read your notes' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('checkbox', { name: 'Read your notes' }).uncheck()
      const posted = page.waitForRequest(`${pageOrigin}/consent`)
      await page.getByRole('button', { name: 'Deny' }).click()
      await posted
      expect(decisions).toEqual(['deny'])
    })
  })

  it('leave a client that opened them in a pop-up its window, all the way back (CN-10)', async () => {
    await inContext({}, async (context) => {
      const consent = toResponse(renderConsentPage(consentView))
      const body = await consent.text()
      const headers = Object.fromEntries(consent.headers)
      await context.route('**/*', (route) => {
        const { pathname } = new URL(route.request().url())
        if (pathname === '/authorize') return route.fulfill({ headers, body })
        return route.fulfill({ contentType: 'text/html', body: '<title>client</title>' })
      })
      const opener = await context.newPage()
      await opener.goto('https://client.test/')
      const opened = opener.waitForEvent('popup')
      await opener.evaluate((url) => void window.open(url), `${pageOrigin}/authorize`)
      const popup = await opened
      await popup.waitForSelector('h1')
      await popup.evaluate(() => location.assign('https://client.test/callback'))
      await popup.waitForURL('https://client.test/callback')
      expect(await popup.evaluate(() => window.opener !== null)).toBe(true)
    })
  })
})
