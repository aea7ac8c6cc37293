import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/operate/metrics.ts'

async function exposeLines(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.expose()).body.split('\n')
}

describe('metrics', () => {
  it('are exposed in the text format of Prometheus', async () => {
    const metrics = createMetrics()
    metrics.count('registrations')
    metrics.count('tokens', { grant_type: 'refresh_token' })
    metrics.count('tokens', { grant_type: 'refresh_token' })
    metrics.time('/token', 200, 0.02)
    const { contentType } = await metrics.expose()
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await exposeLines(metrics)).toEqual(
      expect.arrayContaining([
        'gatehouse_registrations_total 1',
        'gatehouse_tokens_total{grant_type="refresh_token"} 2',
        'gatehouse_http_request_duration_seconds_bucket{le="0.025",route="/token",status="200"} 1',
        'gatehouse_http_request_duration_seconds_bucket{le="0.01",route="/token",status="200"} 0',
      ]),
    )
  })

  it('read a gauge anew for every exposition', async () => {
    const metrics = createMetrics()
    let age = 1.5
    expect((await exposeLines(metrics)).join('\n')).not.toContain('gatehouse_revocations_age')
    metrics.gauge('revocations_age_seconds', () => age)
    expect(await exposeLines(metrics)).toContain('gatehouse_revocations_age_seconds 1.5')
    age = Number.POSITIVE_INFINITY
    expect(await exposeLines(metrics)).toContain('gatehouse_revocations_age_seconds +Inf')
  })

  it('belong to one Gatehouse each', async () => {
    const first = createMetrics()
    first.count('registrations')
    expect(await exposeLines(createMetrics())).not.toContain('gatehouse_registrations_total 1')
  })

  it('never carry a label that names someone', async () => {
    const metrics = createMetrics()
    metrics.count('refusals', { code: 'invalid_grant', client_id: 'mcp_1', user: 'x' })
    expect(await exposeLines(metrics)).toContain('gatehouse_refusals_total{code="invalid_grant"} 1')
  })

  it('have a bounded number of series, whatever the callers send (DS-07)', async () => {
    const metrics = createMetrics()
    for (let value = 0; value < 1000; value += 1) {
      metrics.count('refusals', { reason: `made-up-${value}` })
    }
    const lines = (await exposeLines(metrics)).filter((line) =>
      line.startsWith('gatehouse_refusals'),
    )
    expect(lines).toHaveLength(201)
    expect(lines).toContain('gatehouse_refusals_total{reason="other"} 800')
  })
})
