/** What a visit leaves behind: nothing that it can take away, and no secret in what it brings home. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { listObservations } from '../../src/doctor/report.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { startLive } from '../helpers/live.ts'
import { secret, start, startRecording } from './recording.ts'
import { visit } from './visiting.ts'

const chatgpt = profiles.filter(({ id }) => id === 'chatgpt')

describe('what a visit leaves behind', () => {
  it('is nothing where registrations can be removed (RFC 7592)', async () => {
    const { origin, registered, asked } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    expect(seen.clients[0]?.removal?.response?.status).toBe(204)
    expect(registered.size).toBe(0)
    expect(asked.at(-1)).toMatchObject({ authorization: `Bearer ${secret}` })
  })

  it('is nothing without registering', async () => {
    const { origin, asked } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { mayRegister: false })
    expect(asked.map(({ line }) => line)).not.toContain('POST /register')
    const ways = new Set(seen.clients.map(({ identification }) => identification))
    expect(ways).toEqual(new Set(['skipped', 'typed-in', 'none']))
  })

  it('is removed at the origin that gave the token alone: it is sent nowhere else', async () => {
    const other: string[] = []
    const elsewhere = await start((request, response) => {
      other.push(request.headers.authorization ?? '')
      response.end()
    })
    const { origin } = await startRecording(() => ({
      registration_client_uri: `${elsewhere}/register/1`,
    }))
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    expect(seen.clients[0]?.removal).toBeUndefined()
    expect(other).toEqual([])
  })

  it('has no secret in it', async () => {
    const { origin } = await startRecording()
    const seen = await visit(`${origin}/mcp`, { profiles: chatgpt })
    const text = JSON.stringify(listObservations(seen))
    expect(text).not.toContain(secret)
    expect(seen.clients[0]?.authorize?.response?.headers).toMatchObject({
      location: '/sign-in?code=[masked]&state=open',
      'set-cookie': 'session=[masked]; Path=/',
    })
    expect(seen.clients[0]?.registration?.response?.json).toMatchObject({
      client_id: 'client-0',
      client_secret: '[masked]',
      registration_access_token: '[masked]',
    })
    expect(seen.shared.post.response?.headers['www-authenticate']).toContain('resource_metadata="')
  })

  it('is nothing at a real server', async () => {
    const live = await startLive({ clientMetadataDocuments: false })
    onTestFinished(() => live.close())
    await visit(live.url)
    const registered = live.audit.filter(({ event }) => event === 'client.registered')
    const removed = live.audit.filter(({ event }) => event === 'client.removed')
    expect(registered.length).toBeGreaterThan(5)
    expect(removed).toHaveLength(registered.length)
  })
})
