/** What makes the streams of one MCP session resumable, in memory, for SDK 1 and 2 alike. */
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

interface StoredEvent {
  readonly id: string
  readonly streamId: string
  readonly message: JSONRPCMessage
}

/** The events of one session, numbered in the order they were sent. */
export function createEventStore(): EventStore {
  const events: StoredEvent[] = []
  const find = (id: string) => events.find((event) => event.id === id)
  return {
    async storeEvent(streamId, message) {
      const id = String(events.length + 1)
      events.push({ id, streamId, message })
      return id
    },
    getStreamIdForEventId: async (id) => find(id)?.streamId,
    async replayEventsAfter(lastEventId, { send }) {
      const last = find(lastEventId)
      if (last === undefined) throw new Error(`Unknown event ${lastEventId}`)
      const missed = events.slice(events.indexOf(last) + 1)
      for (const { id, streamId, message } of missed)
        if (streamId === last.streamId && 'jsonrpc' in message) await send(id, message)
      return last.streamId
    },
  }
}
