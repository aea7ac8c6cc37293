import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { createFolder, runCommand, startCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

const add = ['clients', 'add', '--redirect-uri', 'https://a.example/cb', '--json']

it('says when something is added where no server has been, and only then (H6)', async () => {
  const mistyped = await runCommand([...add, '--data', join(folder, 'gatehouse-dta')])
  expect(mistyped.code).toBe(0)
  expect(mistyped.stderr).toContain('no server has used this store yet')
  expect(mistyped.stderr).toContain('gatehouse-dta')
  expect(JSON.parse(mistyped.stdout)).toHaveProperty('client_id')

  const data = ['--data', join(folder, 'gatehouse-data')]
  const server = startCommand(['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0', ...data])
  try {
    await server.until(/setup\?token=/)
    const right = await runCommand([...add, ...data])
    expect(right).toMatchObject({ code: 0, stderr: '' })
  } finally {
    server.child.kill('SIGTERM')
    await server.ended
  }
}, 30_000)
