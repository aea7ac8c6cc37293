/** Runs a requirement set of the official conformance package against a server, and reads what it found. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const program = fileURLToPath(new URL('../../node_modules/.bin/conformance', import.meta.url))

/** Longest time for one scenario. Alone none takes two seconds. */
const scenarioTimeoutMs = 120_000

/** How each check of each scenario came out, by the scenario's name. */
export type Outcome = Record<string, readonly string[]>

const checks = z.array(z.object({ id: z.string(), status: z.string() }))

/** Runs a requirement set against a server and reads what the package wrote about it. */
export async function runSet(revision: string, url: string, results: string): Promise<Outcome> {
  const set = ['server', '--url', url, '--requirements', revision]
  const options = ['--timeout', String(scenarioTimeoutMs), '--output-dir', results]
  await new Promise<void>((resolve) => {
    execFile(process.execPath, [program, ...set, ...options], () => resolve())
  })
  const scenarios = await readdir(results)
  return Object.fromEntries(await Promise.all(scenarios.map((name) => readScenario(results, name))))
}

/** Notes (`INFO`) say what went over the wire, port and session id included, and judge nothing. */
async function readScenario(results: string, name: string): Promise<[string, readonly string[]]> {
  const text = await readFile(join(results, name, 'checks.json'), 'utf8')
  const judged = checks.parse(JSON.parse(text)).filter(({ status }) => status !== 'INFO')
  const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
  return [scenario, judged.map(({ id, status }) => `${id}: ${status}`)]
}

export const isSuccess = (check: string) => check.endsWith(' SUCCESS')
export const isFailure = (check: string) => check.endsWith(' FAILURE')
