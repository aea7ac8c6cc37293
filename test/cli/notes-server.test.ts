import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNotebook } from '../../src/cli/demo-server/notes.ts'
import { keyHeader, type NotesServer, startNotesServer } from '../../src/cli/demo-server/server.ts'
import { createFolder } from './command.ts'

let folder: string
let server: NotesServer
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  server = await startNotesServer(createNotebook(join(folder, 'notes.json')), 'the-key')
  return created.remove
})
afterEach(async () => {
  await server.close()
})

const requestInit = { headers: { [keyHeader]: 'the-key' } }

interface Caller {
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  listTools(): Promise<{ tools: { name: string }[] }>
  close(): Promise<void>
}

async function connect(era: 'legacy' | 'modern'): Promise<Caller> {
  const info = { name: 'test', version: '1' }
  const url = new URL(server.url)
  if (era === 'legacy') {
    const client = new LegacyClient(info)
    await client.connect(new LegacyTransport(url, { requestInit }))
    return client
  }
  const client = new Client(info, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }))
  return client
}

async function callText(caller: Caller, name: string, args: Record<string, unknown> = {}) {
  const result = await caller.callTool({ name, arguments: args })
  return JSON.stringify(result)
}

describe.each(['legacy', 'modern'] as const)(
  'the notes server, spoken to by a %s client (X10)',
  (era) => {
    it('lists, reads, adds and searches notes', async () => {
      const caller = await connect(era)
      const { tools } = await caller.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual([
        'add_note',
        'list_notes',
        'read_note',
        'search_notes',
      ])
      expect(await callText(caller, 'list_notes')).toContain('Welcome')
      const added = await callText(caller, 'add_note', { title: 'Milk', text: 'and Bread' })
      const id = /Added note ([\w-]+)/.exec(added)?.[1] ?? ''
      expect(await callText(caller, 'search_notes', { query: 'bREAD' })).toContain(`${id}  Milk`)
      expect(await callText(caller, 'read_note', { id })).toContain('and Bread')
      expect(await callText(caller, 'read_note', { id: 'none' })).toContain('"isError":true')
      await caller.close()
    })
  },
)

describe('the notes server', () => {
  it('answers only to whoever has the key', async () => {
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(403)
    const headers = { [keyHeader]: 'another' }
    expect((await fetch(server.url, { method: 'POST', headers })).status).toBe(403)
  })
})

describe('a notebook', () => {
  it('keeps every note when many are added at once, also for the next start', async () => {
    const path = join(folder, 'many.json')
    const notebook = createNotebook(path)
    await Promise.all(Array.from({ length: 20 }, (_, index) => notebook.add(`n${index}`, '')))
    expect(await createNotebook(path).list()).toHaveLength(21)
  })

  it('never overwrites a file that it cannot read', async () => {
    const path = join(folder, 'broken.json')
    await writeFile(path, 'not json')
    await expect(createNotebook(path).list()).rejects.toThrow()
    await expect(createNotebook(path).add('a', 'b')).rejects.toThrow()
  })
})
