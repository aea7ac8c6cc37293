/** Policies and hierarchies in a configuration file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-policy-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function load(text: string) {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  return loadConfig({ env: {}, file })
}

async function findProblems(policy: string, more = ''): Promise<string[]> {
  const text = `scopes: { read: Read, write: Write }\n${more}backends:\n  - to: http://127.0.0.1:1/mcp\n    policy: ${policy}\n`
  const loaded = await load(text)
  if (loaded.ok) return []
  return loaded.problems.map((problem) => renderProblem(problem).replaceAll(`${folder}/`, ''))
}

it('with announce are refused beside HTTP+SSE, whose clients it does not reach', async () => {
  for (const beside of ['ssePath: /mcp/sse', 'transport: sse'])
    expect(await findProblems(`{ announce: true }\n    ${beside}`)).toEqual([
      expect.stringMatching(/^gatehouse\.yaml:\d+:\d+: backends\[0\]\.policy has announce/),
    ])
})

it('arrive in the settings as they were written (A6)', async () => {
  const loaded = await load(`
scopes: { read: Read, write: Write }
scopeHierarchy: { write: [read] }
backends:
  - to: http://127.0.0.1:1/mcp
    policy:
      connect: [read]
      rules:
        - { tool: [delete_*, add_*], scopes: [write] }
        - { method: logging/*, deny: true }
      otherwise: deny
      answer: tool-result
      announce: true
`)
  expect(loaded).toMatchObject({
    ok: true,
    settings: {
      scopeHierarchy: { write: ['read'] },
      backends: [
        {
          policy: {
            connect: ['read'],
            rules: [
              { tool: ['delete_*', 'add_*'], scopes: ['write'] },
              { method: 'logging/*', deny: true },
            ],
            otherwise: 'deny',
            answer: 'tool-result',
            announce: true,
          },
        },
      ],
    },
  })
})

it.each([
  ['{ rules: [{ tools: a, scopes: [] }] }', 'rules[0].tools is not a setting; did you mean'],
  ['{ rules: [{ scopes: [] }] }', 'rules[0] needs one of tool, prompt, resource, method'],
  ['{ rules: [{ tool: a, deny: false }] }', 'rules[0].deny must be one of true'],
  ['{ rules: [{ tool: "", scopes: [] }] }', 'rules[0] has an empty tool'],
  [
    '{ rules: [{ tool: "*", scopes: [] }, { tool: a, deny: true }, { tool: b, scopes: [read] }] }',
    'rules[2] can never decide',
  ],
  ['{ otherwise: allow }', 'otherwise must be deny or a list of scopes'],
  ['{ connect: [admin] }', 'names admin, which scopes does not have'],
])('say what is wrong, and where: %s', async (policy, problem) => {
  const [first = '', ...others] = await findProblems(policy)
  expect(others).toEqual([])
  expect(first).toMatch(/^gatehouse\.yaml:4:\d+: backends\[0\]\.policy/)
  expect(first).toContain(problem)
})

it.each([
  ['{ write: [admin] }', 'scopeHierarchy names admin, which is not among the scopes'],
  ['{ write: [read], read: [write] }', 'scopeHierarchy goes in a circle at write'],
])('say what is wrong with a hierarchy: %s', async (hierarchy, problem) => {
  const problems = await findProblems('{}', `scopeHierarchy: ${hierarchy}\n`)
  expect(problems).toEqual([expect.stringContaining(problem)])
})

it('need a backend to guard', async () => {
  const loaded = await load('scopes: { read: Read }\nbackends:\n  - policy: { connect: [read] }\n')
  expect(loaded).toMatchObject({
    ok: false,
    problems: [
      { setting: 'backends[0].policy', problem: expect.stringContaining('only the gate') },
    ],
  })
})
