/** The least a Node server needs to start: `node start-bare.mjs PORT`. Plain JavaScript, as a package has. */
import { createServer } from 'node:http'

createServer((_, outgoing) => outgoing.end('{}')).listen(Number(process.argv[2]), '127.0.0.1')
