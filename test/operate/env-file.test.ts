import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigSources, loadConfig } from '../../src/operate/config/load.ts'
import { loadOptions } from '../../src/operate/config/load-options.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'

let folder: string
let envFile: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-env-'))
  envFile = join(folder, '.env')
})
afterEach(() => rm(folder, { recursive: true }))

async function load(text: string, sources: ConfigSources = {}) {
  await writeFile(envFile, text)
  const loaded = loadConfig({ env: {}, envFile, ...sources })
  const problems = loaded.ok ? [] : loaded.problems
  return {
    settings: loaded.ok ? loaded.settings : undefined,
    layers: loaded.ok ? loaded.layers : undefined,
    problems: problems.map((problem) => renderProblem(problem).replaceAll(`${folder}/`, '')),
  }
}

describe('a file of environment variables', () => {
  it('is read as the environment is: comments, quotes, secrets of the file itself', async () => {
    const file = join(folder, 'gatehouse.yaml')
    await writeFile(
      file,
      'backends: [{ to: "http://127.0.0.1:9/mcp", headers: { k: { env: KEY } } }]',
    )
    const text = '# ours\nSERVER_URL="https://mcp.example.com"\nKEY=\'a b\' # of the backend\n'
    const { settings, layers } = await load(text, { file })
    expect(settings?.publicUrl).toBe('https://mcp.example.com')
    expect(settings?.backends[0]?.headers).toEqual({ k: 'a b' })
    expect(layers?.locate(['publicUrl'])).toBe(`SERVER_URL in ${envFile}`)
  })

  it('gives way to the environment of the process, also where that is empty', async () => {
    const text = 'SERVER_URL=https://file.example.com\nGATEHOUSE_SITE_NAME=File'
    const env = { SERVER_URL: 'https://mcp.example.com', GATEHOUSE_SITE_NAME: '' }
    const { settings, layers } = await load(text, { env })
    expect(settings).toMatchObject({ publicUrl: 'https://mcp.example.com' })
    expect(settings?.siteName).toBeUndefined()
    expect(layers?.locate(['publicUrl'])).toBe('SERVER_URL')
  })

  it('is named wherever something in it is wrong, beside names of the process', async () => {
    const env = { OAUTH_ISSUER_URL: 'https://other.example.com' }
    const text = 'SERVER_URL=https://mcp.example.com\nGATEHOUSE_PROT=1\nTOKEN_ENCRYPTION_KEY=short'
    expect((await load(text, { env })).problems).toEqual([
      'GATEHOUSE_PROT in .env is not a setting; did you mean GATEHOUSE_PORT?',
      'OAUTH_ISSUER_URL, SERVER_URL in .env: publicUrl has two different values; remove one of them',
      expect.stringMatching(
        /^TOKEN_ENCRYPTION_KEY in \.env: tokenEncryptionKey is shorter than 32/,
      ),
    ])
  })

  it('that is not there is a problem, and not the same as an empty one', async () => {
    const { problems } = await load('', { envFile: join(folder, 'none.env') })
    expect(problems).toEqual([expect.stringMatching(/^none\.env cannot be read: ENOENT/)])
    expect((await load('')).problems).toEqual([])
  })
})

describe('options for a server of your own', () => {
  it('come from file and environment, with the store open', async () => {
    await writeFile(envFile, 'MCP_OAUTH_VALID_SCOPES=read,write\nGATEHOUSE_STORE=memory:')
    const options = await loadOptions({ envFile, env: { BASE_URL: 'https://mcp.example.com' } })
    expect(options).toMatchObject({ issuer: 'https://mcp.example.com', backends: [] })
    expect(Object.keys(options.scopes ?? {})).toEqual(['read', 'write'])
    expect(await options.store.get(['nothing'])).toEqual([undefined])
    await options.store.close()
  })

  it('are refused with every problem and its place', async () => {
    const env = { OAUTH_ISSUER_URL: 'http://mcp.example.com', GATEHOUSE_PROT: '1' }
    const refused = loadOptions({ env })
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(/GATEHOUSE_PROT is not a setting[^]*OAUTH_ISSUER_URL: /)
  })
})
