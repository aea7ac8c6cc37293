/** `--tunnel`, with stand-ins on the PATH that say and do what the real programs say and do. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { createFolder, type Running, startCommand } from './command.ts'

let place: { folder: string; remove: () => Promise<void> }
const running: Running[] = []
beforeEach(async () => {
  place = await createFolder()
  await mkdir(join(place.folder, 'bin'))
})
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.child.kill('SIGKILL')
    await one.ended
  }
  await place.remove()
})

/** Until whoever started it is gone: a test that failed leaves nothing behind. */
const stay = `const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(), 100)`

/** A program that notes its arguments, says its lines as the real one does, and stays until it is ended. */
async function putProgram(
  name: string,
  { lines, stream = 'stdout', exit }: { lines: string[]; stream?: string; exit?: number },
): Promise<void> {
  const file = join(place.folder, 'bin', name)
  const source = `#!${process.execPath}
const fs = require('node:fs')
fs.writeFileSync(${JSON.stringify(join(place.folder, 'arguments'))}, process.argv.slice(2).join(' '))
process.${stream}.write(${JSON.stringify(`${lines.join('\n')}\n`)})
process.on('SIGTERM', () => {
  fs.writeFileSync(${JSON.stringify(join(place.folder, 'ended'))}, 'by SIGTERM')
  process.exit(0)
})
${exit === undefined ? stay : `process.exitCode = ${exit}`}
`
  await writeFile(file, source)
  await chmod(file, 0o755)
}

function start(command: string, args: string[]): Running {
  const path = join(place.folder, 'bin')
  const one = startCommand(
    [command, ...args, '--port', '0', '--data', join(place.folder, 'data')],
    {
      cwd: place.folder,
      env: { PATH: path },
    },
  )
  running.push(one)
  return one
}

const cloudflared = [
  '2026-11-21T05:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...',
  '2026-11-21T05:00:03Z INF +--------------------------------------------------------------------+',
  '2026-11-21T05:00:03Z INF |  Your quick Tunnel has been created! Visit it at (it may take some  |',
  '2026-11-21T05:00:03Z INF |  https://brown-fox-lazy-dog.trycloudflare.com                        |',
]
const tailscale = [
  'Available on the internet:',
  '',
  'https://amelie.pango-lin.ts.net/',
  '|-- proxy http://127.0.0.1:8787',
  '',
  'Press Ctrl+C to exit.',
]
const ngrok = [
  't=2026-11-21T05:00:00+0000 lvl=info msg="no configuration paths supplied"',
  't=2026-11-21T05:00:01+0000 lvl=info msg="client session established" obj=tunnels.session',
  't=2026-11-21T05:00:01+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://127.0.0.1:8787 url=https://apt-cod.ngrok-free.app',
]

describe('serve --tunnel', () => {
  it.each([
    {
      name: 'cloudflared',
      program: { lines: cloudflared, stream: 'stderr' },
      url: 'https://brown-fox-lazy-dog.trycloudflare.com',
      args: /^tunnel --no-autoupdate --url http:\/\/127\.0\.0\.1:(\d+)$/,
      note: 'a new one at every start',
    },
    {
      name: 'tailscale',
      program: { lines: tailscale },
      url: 'https://amelie.pango-lin.ts.net',
      args: /^funnel http:\/\/127\.0\.0\.1:(\d+)$/,
      note: 'The address stays the same',
    },
    {
      name: 'ngrok',
      program: { lines: ngrok },
      url: 'https://apt-cod.ngrok-free.app',
      args: /^http http:\/\/127\.0\.0\.1:(\d+) --log=stdout --log-format=logfmt$/,
      note: 'whenever ngrok gives you another one',
    },
  ])('takes the address of $name as the issuer and says what to paste', async (given) => {
    await putProgram(given.name, given.program)
    const one = start('serve', ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', given.name])
    const said = await one.until(/claude mcp add/)
    expect(said).toContain(`MCP server URL\n\n  ${given.url}/mcp\n`)
    await one.untilAside(new RegExp(given.note))
    const [, port] = given.args.exec(await readFile(join(place.folder, 'arguments'), 'utf8')) ?? []
    const metadata = await fetch(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({ issuer: given.url })
    one.child.kill('SIGTERM')
    expect((await one.ended).code).toBe(0)
    expect(await readFile(join(place.folder, 'ended'), 'utf8')).toBe('by SIGTERM')
  })

  it('starts again on the next address without being told that it may', async () => {
    const arguments_ = ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', 'cloudflared']
    for (const word of ['first', 'second']) {
      await putProgram('cloudflared', { lines: [`|  https://${word}.trycloudflare.com  |`] })
      const one = start('serve', arguments_)
      await one.until(new RegExp(`https://${word}.trycloudflare.com/mcp`))
      one.child.kill('SIGTERM')
      expect((await one.ended).code).toBe(0)
    }
  })

  it('passes on what the program asks of the person', async () => {
    const lines = ['Funnel is not enabled on your tailnet.', 'To enable, visit:', '']
    const visit = '  https://login.tailscale.com/f/funnel?node=n1'
    await putProgram('tailscale', { lines: [...lines, visit] })
    const one = start('serve', ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', 'tailscale'])
    await one.untilAside(/tailscale asks you: https:\/\/login\.tailscale\.com\/f\/funnel\?node=n1/)
  })

  it('says where to get a program that is not there', async () => {
    const one = start('serve', ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', 'ngrok'])
    const { code, stderr } = await one.ended
    expect(code).toBe(1)
    expect(stderr).toContain('ngrok is not installed here. Get it: https://ngrok.com/download')
  })

  it('repeats the last words of a program that ends without an address', async () => {
    const lines = ['lvl=eror msg="session closed" err="authentication failed: ERR_NGROK_4018"']
    await putProgram('ngrok', { lines, exit: 1 })
    const one = start('serve', ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', 'ngrok'])
    const { code, stderr } = await one.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/ngrok ended with code 1\. Its last words:\n.*ERR_NGROK_4018/)
  })

  it('stops when the tunnel breaks, since nobody would reach it', async () => {
    const stand = createServer((_, response) => void response.end())
    const origin = await listenOnLoopback(stand)
    const file = join(place.folder, 'bin', 'cloudflared')
    const source = `#!${process.execPath}
console.error('|  https://short.trycloudflare.com  |')
const look = () => fetch('${origin}').then(() => setTimeout(look, 50), () => {
  console.error('ERR Lost connection with the edge')
  process.exit(1)
})
look()
`
    await writeFile(file, source)
    await chmod(file, 0o755)
    const one = start('serve', ['--to', 'http://127.0.0.1:9/mcp', '--tunnel', 'cloudflared'])
    await one.until(/claude mcp add/)
    await closeNow(stand)
    const { code, stderr } = await one.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/cloudflared ended, so nobody reaches us.*\n(.*\n)*.*Lost connection/)
  })

  it('never puts a server without sign-in on the internet unless that is forced (A7)', async () => {
    const one = start('serve', [
      '--to',
      'http://127.0.0.1:9/mcp',
      '--tunnel',
      'cloudflared',
      '--no-sign-in',
    ])
    const { code, stderr } = await one.ended
    expect(code).toBe(2)
    expect(stderr).toContain('GATEHOUSE_LET_ANYONE_IN')
  })

  it('refuses an address beside the tunnel', async () => {
    const { code, stderr } = await start('serve', [
      '--to',
      'http://127.0.0.1:9/mcp',
      '--tunnel',
      'ngrok',
      '--public-url',
      'https://mcp.example.com',
    ]).ended
    expect([code, stderr]).toEqual([2, expect.stringContaining('leave one out')])
  })
})

describe('demo --tunnel', () => {
  it('prints the address of the tunnel for ChatGPT', async () => {
    await putProgram('cloudflared', { lines: cloudflared, stream: 'stderr' })
    const one = start('demo', ['--tunnel', 'cloudflared'])
    const said = await one.until(/Press Ctrl\+C/)
    expect(said).toContain('https://brown-fox-lazy-dog.trycloudflare.com/mcp')
  })
})
