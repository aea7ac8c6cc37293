/** The people behind a load, each in a lane of their own, and what they do again and again. */
import type { Client, Jar, Tokens } from './client.ts'
import type { Operate } from './load.ts'
import type { MeasuredServer } from './server-process.ts'
import { lanes } from './servers/protocol.ts'

/** A person in a browser who wants something through a client. */
export interface Lane {
  readonly clientId: string
  jar: Jar
  tokens: Tokens
}

/** Makes an operation of a client. */
export type ToOperate = (client: Client, lanes: readonly Lane[]) => Operate

/** A registration. */
export const toRegister: ToOperate = (client) => async () => {
  await client.register()
}

/** From `/authorize` to tokens. */
export const toCycle: ToOperate = (client, people) => async (lane) => {
  const person = findLane(people, lane)
  const { jar } = await client.authorize(person.clientId, person.jar)
  person.jar = jar
}

/** A refresh; each must give another access token than the one before. */
export const toRefresh: ToOperate = (client, people) => async (lane) => {
  const person = findLane(people, lane)
  const before = person.tokens.accessToken
  person.tokens = await client.refresh(person.tokens)
  if (person.tokens.accessToken === before) throw new Error('The same access token came again')
}

/** One lane after the other, each with a client and a grant. */
export async function openLanes(client: Client, server: MeasuredServer): Promise<Lane[]> {
  const opened: Lane[] = []
  for (let n = 0; n < lanes; n += 1) {
    const clientId = await client.register()
    const { tokens, jar } = await client.authorize(clientId, toJar(server.sessions[n]))
    opened.push({ clientId, jar, tokens })
  }
  return opened
}

function toJar(cookie: string | undefined): Jar {
  const [name, value] = cookie?.split('=') ?? []
  return new Map(name !== undefined && value !== undefined ? [[name, value]] : [])
}

/** The one of that number. */
export function findLane(people: readonly Lane[], lane: number): Lane {
  const person = people[lane]
  if (!person) throw new RangeError(`There is no lane ${lane}`)
  return person
}
