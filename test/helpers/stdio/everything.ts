/** The server that has everything, over standard input and output, in both eras of the protocol. */
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createEverything, createState } from '../everything.ts'

const state = createState()
serveStdio(({ era }) => createEverything({ state, isLegacy: era === 'legacy' }))
