/**
 * The thread that writes to a SQLite file, so that a flush of the disk keeps nobody else waiting:
 * `sqlite-thread.ts` starts it and says what there is to say. It has a connection of its own.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createBatchWriter } from './sqlite-batch.ts'
import { findSqliteResult, openNodeSqlite } from './sqlite-client.ts'
import { configureConnection, readPragma } from './sqlite-schema.ts'
import type { ThreadReply, ThreadRequest, ThreadSettings } from './sqlite-thread.ts'

const { path } = workerData as ThreadSettings
const client = await openNodeSqlite(path)
configureConnection(client, path)
const write = createBatchWriter(client)

function answer(request: ThreadRequest): ThreadReply {
  try {
    if (request.kind === 'write') return { kind: 'done', done: write(request.batch) }
    return { kind: 'seen', version: Number(readPragma(client, 'data_version')) }
  } catch (error) {
    return { kind: 'failed', result: findSqliteResult(error), error }
  }
}

parentPort?.on('message', (request: ThreadRequest | 'end') => {
  if (request !== 'end') return parentPort?.postMessage(answer(request))
  client.close()
  parentPort?.close()
})
