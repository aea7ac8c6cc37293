/** Starts everyone who issues tokens, and the bare server that answers with what Gatehouse answered. */
import { createClient } from './client.ts'
import { bareName, type Contender, type IsWanted, issuers } from './contenders.ts'
import type { Message, Send } from './http.ts'
import { findLane, openLanes, type ToOperate } from './lanes.ts'
import type { Operate } from './load.ts'
import { verifyWork } from './proof.ts'
import { type RecordedExchange, recordExchanges } from './recording.ts'
import type { MeasuredServer } from './server-process.ts'
import type { Workshop } from './workshop.ts'

/** Until it is known how long Gatehouse's is. */
const usualPageBytes = 4000

/** All that are wanted, over empty stores, each with its people signed in; bare first. */
export async function prepareIssuers(
  workshop: Workshop,
  isWanted: IsWanted,
  toOperate: ToOperate,
): Promise<Contender[]> {
  const exchanges = await record(workshop, toOperate)
  const page = exchanges.find(({ reply }) => /content-type: text\/html/i.test(reply.head))
  const pageBytes = page?.reply.body.length ?? usualPageBytes
  const contenders = [await prepareBare(workshop, exchanges)]
  for (const issuer of issuers.filter(isWanted)) {
    const server = await workshop.startIssuer(issuer, { pageBytes })
    const client = createClient(server.send, server)
    const people = await openLanes(client, server)
    await verifyWork(issuer, server, client, findLane(people, 0))
    contenders.push({ name: issuer.name, server, operate: toOperate(client, people) })
  }
  return contenders
}

/** What travels in one operation, as a Gatehouse that runs for real shows it. */
async function record(workshop: Workshop, toOperate: ToOperate): Promise<RecordedExchange[]> {
  const [model] = issuers
  if (!model) return []
  const server = await workshop.startIssuer(model, { pageBytes: 0 })
  const people = await openLanes(createClient(server.send, server), server)
  return recordExchanges(server.send, (send) => toOperate(createClient(send, server), people)(0))
}

async function prepareBare(
  workshop: Workshop,
  exchanges: readonly RecordedExchange[],
): Promise<Contender> {
  const answers = exchanges.map(({ answer }) => answer)
  const server = await workshop.start({ kind: 'bare', answers })
  const messages = exchanges.map(({ message }, n) => ({ ...message, path: `/${n}` }))
  const operate = async () => {
    for (const message of messages) await server.send(message)
  }
  return { name: bareName, server, operate }
}

/** The others have no key set, or leave the document to whoever embeds them. */
const documentary = ['memory', 'oidc-provider']

/** Those that answer with a document, over memory; bare first. */
export async function prepareDocuments(
  workshop: Workshop,
  isWanted: IsWanted,
  toPath: (server: MeasuredServer) => string,
): Promise<Contender[]> {
  const contenders: Contender[] = []
  const wanted = issuers.filter(({ id }) => documentary.includes(id)).filter(isWanted)
  for (const issuer of wanted) {
    const server = await workshop.startIssuer(issuer, { pageBytes: usualPageBytes })
    const operate = toGet(server.send, { method: 'GET', path: toPath(server), headers: {} })
    await operate(0)
    if (contenders.length === 0) {
      const get = (send: Send) =>
        toGet(send, { method: 'GET', path: toPath(server), headers: {} })(0)
      contenders.push(await prepareBare(workshop, await recordExchanges(server.send, get)))
    }
    contenders.push({ name: issuer.name, server, operate })
  }
  return contenders
}

function toGet(send: Send, message: Message): Operate {
  return async () => {
    const reply = await send(message)
    if (reply.status !== 200) throw new Error(`Answered ${reply.status}: ${reply.body}`)
  }
}
