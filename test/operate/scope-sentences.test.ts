import { expect, it } from 'vitest'
import { mergeLayers, parseConfigFile } from '../../src/operate/config/layers.ts'

function merge(file: string, value: unknown): unknown {
  const parsed = parseConfigFile('gatehouse.yaml', file)
  const given = [{ path: ['scopes'], value, place: 'OAUTH_VALID_SCOPES' }]
  return mergeLayers(parsed, given).tree.scopes
}

it('names of scopes from the environment say which there are and keep the sentences of the file (A3)', () => {
  const file = 'scopes: { read: See your plan, payment: Pay your bills }'
  expect(merge(file, ['read', 'write'])).toEqual({ read: 'See your plan', write: 'Use “write”' })
})

it('whole scopes from the environment are taken as they are', () => {
  expect(merge('scopes: { read: See your plan }', { read: 'Other' })).toEqual({ read: 'Other' })
  expect(merge('scopes: [read]', ['write'])).toEqual(['write'])
  expect(merge('siteName: Notes', ['write'])).toEqual(['write'])
})
