/** The process of one measured server: starts what it is told and says how much CPU time it has used. */
import { startBare } from './bare.ts'
import { startGatehouse } from './gatehouse.ts'
import { startOidcProvider } from './oidc-provider.ts'
import { startHttpPipe, startUndiciPipe } from './pipes.ts'
import type { Answer, Command, ServerSpec, Started } from './protocol.ts'

function start(spec: ServerSpec): Promise<Started> {
  switch (spec.kind) {
    case 'gatehouse':
      return startGatehouse(spec.folder, spec.backend)
    case 'oidc-provider':
      return startOidcProvider(spec.pageBytes)
    case 'bare':
      return startBare(spec.answers)
    case 'http-pipe':
      return startHttpPipe(spec.backend)
    case 'undici-pipe':
      return startUndiciPipe(spec.backend)
  }
}

const tell = (answer: Answer) => process.send?.(answer)

process.on('message', (command: Command) => {
  if (command.command === 'cpu') {
    const { user, system } = process.cpuUsage()
    tell({ answer: 'cpu', microseconds: user + system })
    return
  }
  start(command.spec).then(
    (started) => tell({ answer: 'started', started }),
    (error: unknown) => tell({ answer: 'failed', message: String(error) }),
  )
})
// Whoever measured is gone: nothing is left to be done.
process.on('disconnect', () => process.exit(0))
