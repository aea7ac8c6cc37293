/** Every command of the desk guide, and two people at one program that was made for one (X10, stdio). */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callTool, chatGpt, connect, type Visit } from './chatgpt.ts'
import { type Example, person, startExample } from './harness.ts'

const people = {
  ada: person,
  bob: { email: 'bob@example.com', password: 'another long password' },
}

let example: Example
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-desk-'))
  example = await startExample({
    name: 'desk',
    toEnv: (issuer) => ({
      GATEHOUSE_PUBLIC_URL: issuer,
      TASKS_FOLDER: folder,
      GATEHOUSE_COMMAND: JSON.stringify([process.execPath, 'server.ts']),
    }),
  })
  for (const { email, password } of Object.values(people))
    await example.manage(['users', 'add', email, '--password-stdin'], password)
})
afterAll(async () => {
  await example?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Somebody who allows everything. */
function visitAs(who: keyof typeof people): Visit {
  return async (url) => {
    const browser = example.browser()
    let page = await browser.open(url)
    for (let step = 0; step < 4 && page.status === 200; step += 1) {
      page = page.url.pathname.endsWith('/sign-in')
        ? await browser.press(page, '', '', people[who])
        : await browser.press(page, 'decision', 'allow')
    }
    return page
  }
}

const url = () => `${example.issuer}/mcp`

describe('the guide of desk', () => {
  it('the start says what is behind the MCP URL', () => {
    expect(example.printed).toMatch(/MCP URL +http:\S+\/mcp +→ +\S*node\S* server\.ts/)
  })

  it('nobody unknown starts anything, and the metadata names the scopes', async () => {
    expect((await example.run('challenge')).status).toBe(401)
    expect((await example.run('metadata')).json()).toMatchObject({
      scopes_supported: expect.arrayContaining(['tasks:read', 'tasks:write']),
    })
  })

  it('two people have two lists, and one file each', async () => {
    const ada = await connect(url(), chatGpt(), visitAs('ada'))
    const bob = await connect(url(), chatGpt(), visitAs('bob'))
    expect(await callTool(ada, 'add_task', { task: 'Water the plants' })).toBe(
      'Added: Water the plants',
    )
    expect(await callTool(bob, 'list_tasks')).toBe('Nothing to do')
    await callTool(bob, 'add_task', { task: 'Feed the cat' })
    expect(await callTool(ada, 'list_tasks')).toBe('Water the plants')
    expect(await readdir(folder)).toHaveLength(2)
    await example.untilLogged(/A program was started/)
    for (const client of [ada, bob]) await client.close()
  })
})
