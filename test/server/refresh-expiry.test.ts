/** A refresh whose grant runs out while it is answered. */
import { expect, it, onTestFinished } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { redeem, refresh, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'

it('is refused, and never answered with a token that is dead already (RF-14)', async () => {
  const clock = testClock()
  const inner = memoryStore({ clock })
  let slowBySeconds = 0
  const store: typeof inner = {
    ...inner,
    commit: async (change) => {
      const done = await inner.commit(change)
      clock.advance(slowBySeconds)
      return done
    },
  }
  const lifetimes = { refreshAbsoluteSeconds: 7200 }
  const gatehouse = await startTestGatehouse({ store, clock, lifetimes })
  onTestFinished(() => gatehouse.close())
  const client = await registerClient(gatehouse.send)
  const person = await createPerson(gatehouse)
  const first = await redeem(gatehouse.send, client, await person.authorize(client))

  clock.advance(7199)
  slowBySeconds = 1
  const { status, body } = await refresh(gatehouse.send, client, first.body.refresh_token)
  expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_grant' })
})
