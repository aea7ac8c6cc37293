import { describe, expect, it } from 'vitest'
import { corsHeaders, isPreflight, toPreflightAnswer } from '../../src/oauth/cors.ts'

const preflight = (headers: Record<string, string>) =>
  new Request('https://gate.example/token', {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', ...headers },
  })

describe('CORS', () => {
  it('is any origin, never with credentials, and never an echo (DI-09)', () => {
    const { headers } = toPreflightAnswer(preflight({}), { methods: ['POST'] })
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
    expect(headers['access-control-allow-methods']).toBe('POST')
    expect(headers.vary).toBe('Access-Control-Request-Headers')
    expect(corsHeaders()).toEqual({ 'access-control-allow-origin': '*' })
    expect(corsHeaders(['A', 'B'])['access-control-expose-headers']).toBe('A, B')
  })

  it('names the usual fields even when nothing is asked, and each once', () => {
    const asked = { 'access-control-request-headers': 'Authorization,x-more, mcp-param-a' }
    const allowed = toPreflightAnswer(preflight(asked), { methods: [] }).headers[
      'access-control-allow-headers'
    ]
    const names = allowed?.split(', ') ?? []
    expect(names).toContain('x-more')
    expect(names).toContain('mcp-param-a')
    expect(names.filter((name) => name === 'authorization')).toHaveLength(1)
  })

  it('repeats nothing that is no field name, and never much (DI-09)', () => {
    for (const list of ['a b, "x", {}, :', 'x'.repeat(200), 'x,'.repeat(30_000)]) {
      const request = preflight({ 'access-control-request-headers': list })
      const response = toPreflightAnswer(request, { methods: [] })
      const times = Array.from({ length: 5 }, () => {
        const began = performance.now()
        toPreflightAnswer(request, { methods: [] })
        return performance.now() - began
      })
      expect(Math.min(...times)).toBeLessThan(5)
      const allowed = response.headers['access-control-allow-headers'] ?? ''
      expect(allowed).not.toMatch(/[^a-z, -]|(^| )x(,|$)/)
    }
  })

  it('takes only OPTIONS that asks for a method as a preflight', () => {
    expect(isPreflight(preflight({}))).toBe(true)
    const bare = { method: 'OPTIONS', headers: { origin: 'https://app.example' } }
    expect(isPreflight(new Request('https://gate.example/', bare))).toBe(false)
    expect(isPreflight(new Request('https://gate.example/'))).toBe(false)
  })
})
