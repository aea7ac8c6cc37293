/**
 * `npm run image`: the steps of the Dockerfile on this machine, for where there is no container engine.
 *
 * Each stage becomes a folder, COPY copies, RUN runs in the stage's working folder. Then the entry point is
 * started with the image's variables, asked for its health as the HEALTHCHECK would, and stopped with
 * SIGTERM. What only an engine does (users, volumes, base images) is read and told, not done.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Instruction, readDockerfile } from './dockerfile.ts'

/** A stage as it is being built. */
interface Stage {
  readonly root: string
  workdir: string
  readonly variables: Record<string, string>
  entrypoint: string[]
  command: string[]
}

const base = mkdtempSync(join(tmpdir(), 'gatehouse-image-'))
const stages = new Map<string, Stage>()

function toPath({ root, workdir }: Stage, path: string): string {
  return join(root, path.startsWith('/') ? path : join(workdir, path))
}

function copy(stage: Stage, words: readonly string[]): void {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = paths.at(-1) ?? '.'
  const source = from === undefined ? undefined : stages.get(from)
  if (from !== undefined && !source) throw new Error(`COPY --from=${from}: there is no such stage`)
  for (const path of paths.slice(0, -1)) {
    const origin = source ? toPath(source, path) : path
    const isFolderTarget = target.endsWith('/')
    const end = isFolderTarget ? join(target, basename(path)) : target
    if (!existsSync(origin)) throw new Error(`COPY ${path}: there is no such file`)
    cpSync(origin, toPath(stage, end), { recursive: true, verbatimSymlinks: true })
  }
}

function run(stage: Stage, line: string): void {
  if (/(^|\s)\//.test(line)) return console.log(`     (an engine's: ${line})`)
  const cwd = toPath(stage, '.')
  mkdirSync(cwd, { recursive: true })
  const child = spawnSync('sh', ['-c', line], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...stage.variables },
  })
  if (child.status !== 0) throw new Error(`RUN ${line}: exit code ${child.status}`)
}

function apply(stage: Stage, { name, words, text }: Instruction): void {
  if (name === 'WORKDIR') stage.workdir = text
  if (name === 'COPY') copy(stage, words)
  if (name === 'RUN') run(stage, text)
  if (name === 'ENTRYPOINT') stage.entrypoint = JSON.parse(text) as string[]
  if (name === 'CMD') stage.command = JSON.parse(text) as string[]
  if (name !== 'ENV') return
  for (const word of words) {
    const [key = '', ...value] = word.split('=')
    stage.variables[key] = value.join('=')
  }
}

function build(): Stage {
  let stage: Stage | undefined
  for (const instruction of readDockerfile('Dockerfile')) {
    console.log(`${instruction.name} ${instruction.text}`)
    if (instruction.name === 'FROM') {
      const name = /\bAS (\S+)$/.exec(instruction.text)?.[1] ?? 'image'
      const root = join(base, name)
      mkdirSync(root)
      stage = { root, workdir: '/', variables: {}, entrypoint: [], command: [] }
      stages.set(name, stage)
    } else if (stage) apply(stage, instruction)
  }
  if (!stage) throw new Error('The Dockerfile has no stage')
  return stage
}

/** Starts what the image would start, on a free port and with a data folder here. */
async function tryOut(stage: Stage): Promise<void> {
  const [program = '', entry = '', ...rest] = stage.entrypoint
  if (program !== 'node') throw new Error(`ENTRYPOINT begins with ${program}, not with node`)
  const port = '18787'
  const child = spawn(process.execPath, [join(stage.root, entry), ...rest, ...stage.command], {
    cwd: base,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH,
      ...stage.variables,
      GATEHOUSE_HOST: '127.0.0.1',
      GATEHOUSE_PORT: port,
      GATEHOUSE_DATA: join(base, 'data'),
      GATEHOUSE_TO: 'http://127.0.0.1:9/mcp',
    },
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      if (answer?.status === 200) return
      await wait(100)
    }
    throw new Error('The image is not ready after ten seconds')
  } finally {
    child.kill('SIGTERM')
    const code = await ended
    if (code !== 0) console.error(`It ended with code ${code}`)
  }
}

try {
  const image = build()
  await tryOut(image)
  console.log('The image builds, starts, is ready, and stops when told')
} finally {
  rmSync(base, { recursive: true, force: true })
}
