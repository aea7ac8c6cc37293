/** Which options of `gatehouse doctor` go with a URL and which with `--self`: one that would do nothing is a mistake. */
import type { ConfigOptions } from './config.ts'
import { exitUsage, toFailure } from './failure.ts'

/** Options of a visit, which mean nothing to `--self`. */
export interface VisitOptions {
  as?: string
  /** False with `--no-register`. */
  register?: boolean
  timeout?: string
  login?: boolean
  wait?: string
  /** False with `--no-browser`. */
  browser?: boolean
  clientId?: string
  clientSecretStdin?: boolean
  publicChecker?: boolean
}

/** Options that say which installation is meant. */
type InstallationOptions = Omit<ConfigOptions, 'json'>

/**
 * Makes sure that nothing was asked of `--self` that it does not do.
 *
 * @throws Failure that names the first such option
 */
export function refuseVisitOptions(options: VisitOptions): void {
  refuseFirst('goes with the URL of a server; --self visits none', {
    '--as': options.as !== undefined,
    '--no-register': options.register === false,
    '--timeout': options.timeout !== undefined,
    '--login': options.login === true,
    '--wait': options.wait !== undefined,
    '--no-browser': options.browser === false,
    '--client-id': options.clientId !== undefined,
    '--client-secret-stdin': options.clientSecretStdin === true,
    '--public-checker': options.publicChecker === true,
  })
}

/**
 * Makes sure that a visit was not told of an installation, at which it does not look.
 *
 * @throws Failure that names the first such option
 */
export function refuseInstallationOptions(options: InstallationOptions): void {
  refuseFirst('goes with --self; a visit looks at the URL alone', {
    '--config': options.config !== undefined,
    '--env-file': options.envFile !== undefined,
    '--data': options.data !== undefined,
    '--store': options.store !== undefined,
    '--to': options.to !== undefined,
    '--public-url': options.publicUrl !== undefined,
    '--host': options.host !== undefined,
    '--port': options.port !== undefined,
  })
}

function refuseFirst(why: string, given: Readonly<Record<string, boolean>>): void {
  const [stray] = Object.entries(given).filter(([, isGiven]) => isGiven)
  if (stray !== undefined) throw toFailure(`${stray[0]} ${why}`, exitUsage)
}
