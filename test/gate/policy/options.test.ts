/** Policies and hierarchies that an embedder got wrong are refused at construction. */
import { describe, expect, it } from 'vitest'
import type { Policy } from '../../../src/oauth/policy.ts'
import { startTestGatehouse } from '../../helpers/gatehouse.ts'
import { scopeHierarchy, scopes } from './fixture.ts'

const to = 'http://127.0.0.1:9/mcp'

async function start(policy: Policy, hierarchy: Record<string, string[]> = scopeHierarchy) {
  const { gatehouse } = await startTestGatehouse({
    scopes,
    defaultScopes: ['read'],
    scopeHierarchy: hierarchy,
    backends: [{ to, policy }],
  })
  await gatehouse.close()
}

describe('a policy', () => {
  it('with everything in it is taken', async () => {
    await start({
      connect: ['read'],
      rules: [
        { tool: ['a', 'b*'], scopes: [] },
        { tool: 'b*', method: 'tools/call', deny: true },
        { resource: 'file:///**', method: 'resources/read', scopes: ['account'] },
        { tool: '*', scopes: ['write'] },
      ],
      otherwise: 'deny',
      answer: 'tool-result',
      announce: true,
    })
  })

  it.each<[string, Policy]>([
    ['needs admin, which is not among the scopes', { connect: ['admin'] }],
    ['needs admin, which is not among the scopes', { otherwise: ['admin'] }],
    ['rules[0] needs one of tool, prompt, resource, method', { rules: [{ scopes: [] }] }],
    [
      'rules[0] is about a tool and a prompt at once',
      { rules: [{ tool: 'a', prompt: 'b', scopes: [] }] },
    ],
    ['rules[0] needs either scopes or deny: true', { rules: [{ tool: 'a' }] }],
    [
      'rules[0] needs either scopes or deny: true',
      { rules: [{ tool: 'a', scopes: [], deny: true }] },
    ],
    ['rules[0] has an empty tool', { rules: [{ tool: [], scopes: [] }] }],
    ['rules[0] has an empty tool', { rules: [{ tool: ['a', ''], scopes: [] }] }],
    [
      'rules[1] can never decide',
      {
        rules: [
          { tool: '*', scopes: [] },
          { tool: 'a', scopes: ['write'] },
        ],
      },
    ],
    [
      'rules[1] can never decide',
      {
        rules: [
          { tool: ['a', 'b'], scopes: [] },
          { tool: ['b'], scopes: ['write'] },
        ],
      },
    ],
    [
      'rules[0] can never decide',
      {
        rules: [
          { resource: 'x:y', scopes: [] },
          { resource: '**', deny: true },
        ],
      },
    ],
  ])('is refused where it %s', async (problem, policy) => {
    const refused = start(policy)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(
      `Backend mcp: policy${problem.startsWith('rules') ? '.' : ' '}${problem}`,
    )
  })

  it('without a backend to guard is refused', async () => {
    const backends = [{ policy: { connect: ['read'] } }]
    await expect(startTestGatehouse({ scopes, defaultScopes: ['read'], backends })).rejects.toThrow(
      'needs a "to"',
    )
  })
})

describe('a hierarchy', () => {
  it.each([
    ['names admin, which is not among the scopes', { admin: ['read'] }],
    ['names admin, which is not among the scopes', { read: ['admin'] }],
    ['goes in a circle at read', { read: ['read'] }],
    ['goes in a circle at read', { read: ['write'], write: ['payment'], payment: ['read'] }],
  ])('is refused where it %s', async (problem, hierarchy: Record<string, string[]>) => {
    await expect(start({}, hierarchy)).rejects.toThrow(`scopeHierarchy ${problem}`)
  })
})
