/**
 * A list of tasks as such servers are published for one's own machine: over standard input and output, for the
 * one person in `TASKS_OF`, in the folder `TASKS_FOLDER`. It knows nothing of OAuth, and of nobody else.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { toText } from '../serve-mcp.ts'

const { TASKS_OF, TASKS_FOLDER = 'tasks' } = process.env
if (TASKS_OF === undefined || !/^[\w-]+$/.test(TASKS_OF)) {
  console.error('TASKS_OF must say whose tasks they are')
  process.exit(1)
}
const file = join(TASKS_FOLDER, `${TASKS_OF}.json`)

function readTasks(): string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return []
  }
}

/** Another program of the same person may read meanwhile, so the file is replaced as a whole. */
function writeTasks(tasks: readonly string[]): void {
  mkdirSync(TASKS_FOLDER, { recursive: true })
  const next = `${file}.${process.pid}`
  writeFileSync(next, JSON.stringify(tasks))
  renameSync(next, file)
}

serveStdio(() => {
  const server = new McpServer({ name: 'desk', version: '1.0.0' })
  server.registerTool('list_tasks', { description: 'What is to be done' }, () =>
    toText(readTasks().join('\n') || 'Nothing to do'),
  )
  server.registerTool(
    'add_task',
    { description: 'Remember something to do', inputSchema: z.object({ task: z.string() }) },
    ({ task }) => {
      writeTasks([...readTasks(), task])
      return toText(`Added: ${task}`)
    },
  )
  server.registerTool(
    'finish_task',
    { description: 'Strike a task off', inputSchema: z.object({ task: z.string() }) },
    ({ task }) => {
      writeTasks(readTasks().filter((each) => each !== task))
      return toText(`Done: ${task}`)
    },
  )
  return server
})
