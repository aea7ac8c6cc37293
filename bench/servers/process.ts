/** The process of one measured server: starts what it is told and says how much CPU time it has used. */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { Answer, Command, ServerSpec, Started } from './protocol.ts'

/** Each kind loads what it needs and nothing of the others. */
async function start(spec: ServerSpec): Promise<Started> {
  switch (spec.kind) {
    case 'gatehouse':
      return (await import('./gatehouse.ts')).startGatehouse(spec)
    case 'oidc-provider':
      return (await import('./oidc-provider.ts')).startOidcProvider(spec.pageBytes)
    case 'mcp-sdk':
      return (await import('./mcp-sdk.ts')).startMcpSdk(spec.pageBytes)
    case 'workers-oauth-provider':
      return (await import('./workers-oauth-provider.ts')).startWorkersOauthProvider(spec.pageBytes)
    case 'better-auth':
      return (await import('./better-auth.ts')).startBetterAuth(spec.pageBytes)
    case 'signing-floor':
      return (await import('./signing-floor.ts')).startSigningFloor()
    case 'bare':
      return (await import('./bare.ts')).startBare(spec.answers)
    case 'http-pipe':
      return (await import('./pipes.ts')).startHttpPipe(spec.backend)
    case 'undici-pipe':
      return (await import('./pipes.ts')).startUndiciPipe(spec.backend)
  }
}

let profiler: Session | undefined

async function obey(command: Command): Promise<Answer> {
  if (command.command === 'start') {
    return { answer: 'started', started: await start(command.spec) }
  }
  if (command.command === 'cpu') {
    const { user, system } = process.cpuUsage()
    return { answer: 'cpu', microseconds: user + system }
  }
  await (profiler ? writeProfile(profiler, command.file) : startProfile())
  return { answer: 'profiled' }
}

async function startProfile(): Promise<void> {
  profiler = new Session()
  profiler.connect()
  await profiler.post('Profiler.enable')
  await profiler.post('Profiler.setSamplingInterval', { interval: 200 })
  await profiler.post('Profiler.start')
}

async function writeProfile(session: Session, file: string): Promise<void> {
  const { profile } = await session.post('Profiler.stop')
  writeFileSync(file, JSON.stringify(profile))
  session.disconnect()
  profiler = undefined
}

const tell = (answer: Answer) => process.send?.(answer)

process.on('message', (command: Command) => {
  obey(command).then(tell, (error: unknown) =>
    tell({
      answer: 'failed',
      message: error instanceof Error ? `${error.stack}` : String(error),
    }),
  )
})
// Whoever measured is gone: nothing is left to be done.
process.on('disconnect', () => process.exit(0))
