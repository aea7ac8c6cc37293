/** What programs that we start get of our environment: what any program needs, and none of our settings. */
import type { Environment } from './load.ts'

/** Where certificates are that this network needs: without them `npx` and `uvx` install nothing behind a TLS proxy. */
const certificates = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_DIR', 'SSL_CERT_FILE']

/** As MCP SDKs have it for servers that they start, and where temporary files, language and time zone come from. */
const inherited = {
  posix: 'HOME LANG LC_ALL LOGNAME PATH SHELL TERM TMPDIR TZ USER',
  windows:
    'APPDATA HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP TMP USERNAME USERPROFILE',
}

/** Those of our variables that every program may have. */
export function readProgramEnvironment(
  env: Environment = process.env,
  platform = process.platform,
): Readonly<Record<string, string>> {
  const names = (platform === 'win32' ? inherited.windows : inherited.posix).split(' ')
  const found = [...names, ...certificates].flatMap((name) => {
    const value = env[name]
    // A shell's exported function would be run by another shell.
    return value === undefined || value.startsWith('()') ? [] : [[name, value] as const]
  })
  return Object.fromEntries(found)
}
