import { describe, expect, it } from 'vitest'
import { resolveResource, resourceMetadataPath } from '../../src/oauth/resource.ts'
import { refusalOf } from './refusal.ts'

const mcp = 'https://mcp.example.com/mcp'
const other = 'https://mcp.example.com/other'

describe('resource indicators', () => {
  it('means the only resource when it is missing (AZ-17, mcp-spec K5)', () => {
    expect(resolveResource([], [mcp])).toBe(mcp)
  })

  it.each([[[]], [[mcp, other]]])('cannot guess among %j', (resources) => {
    expect(refusalOf(() => resolveResource([], resources)).code).toBe('invalid_target')
  })

  it.each([
    mcp,
    `${mcp}/`,
    'HTTPS://MCP.Example.COM/mcp',
    'https://mcp.example.com:443/mcp',
    'https://MCP.example.com:443/mcp/',
  ])('takes %s for the configured one (AZ-18, mcp-spec K4)', (value) => {
    expect(resolveResource([value], [mcp, other])).toBe(mcp)
  })

  it.each([
    'https://mcp.example.com/MCP',
    'https://mcp.example.com/mcp//',
    'https://mcp.example.com/mcp/x',
    'https://mcp.example.com/mc',
    'https://mcp.example.com/x/../mcp',
    'https://mcp.example.com/%6dcp',
    'https://mcp.example.com/mcp?x',
    'https://mcp.example.com/mcp?',
    'https://mcp.example.com/mcp#x',
    'https://mcp.example.com/mcp#',
    'https://mcp.example.com:8443/mcp',
    'https://mcp.example.com:80/mcp',
    'https://mcp.example.com.evil.example/mcp',
    'https://mcp.example.com@evil.example/mcp',
    'https://user@mcp.example.com/mcp',
    'https:\\\\mcp.example.com\\mcp',
    ' https://mcp.example.com/mcp',
    'https://mcp.example.com/mcp\n',
    'http://mcp.example.com/mcp',
    '//mcp.example.com/mcp',
    '/mcp',
    'mcp',
  ])('refuses %j (AZ-17, AZ-18)', (value) => {
    expect(refusalOf(() => resolveResource([value], [mcp])).code).toBe('invalid_target')
  })

  it('accepts the bare origin when there is one resource, with and without its slash', () => {
    expect(resolveResource(['https://mcp.example.com/'], [mcp])).toBe(mcp)
    expect(resolveResource(['https://MCP.example.com'], [mcp])).toBe(mcp)
    expect(refusalOf(() => resolveResource(['https://evil.example/'], [mcp])).code).toBe(
      'invalid_target',
    )
    expect(refusalOf(() => resolveResource(['https://mcp.example.com/'], [mcp, other])).code).toBe(
      'invalid_target',
    )
  })

  it('finds a resource that is a bare origin, and returns it as configured', () => {
    const origin = 'http://localhost:8787'
    expect(resolveResource(['http://LOCALHOST:8787/'], [origin, mcp])).toBe(origin)
    expect(resolveResource(['http://[::1]:8787/mcp'], ['http://[::1]:8787/mcp/'])).toBe(
      'http://[::1]:8787/mcp/',
    )
  })

  it('accepts repeats of one resource and refuses different ones (AZ-17)', () => {
    expect(resolveResource([mcp, mcp, `${mcp}/`], [mcp, other])).toBe(mcp)
    expect(refusalOf(() => resolveResource([mcp, other], [mcp, other])).code).toBe('invalid_target')
    expect(refusalOf(() => resolveResource([mcp, 'x'], [mcp, other])).code).toBe('invalid_target')
  })

  it('derives the metadata path (RFC 9728 §3.1)', () => {
    expect(resourceMetadataPath('/mcp')).toBe('/.well-known/oauth-protected-resource/mcp')
    expect(resourceMetadataPath('')).toBe('/.well-known/oauth-protected-resource')
    expect(resourceMetadataPath('/')).toBe('/.well-known/oauth-protected-resource')
  })
})
