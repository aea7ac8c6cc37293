/** Secrets of the configuration: where they are read from, and the master key that seals the store. */
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { toStartError } from '../../storage/start-error.ts'

/** A secret as it is written: itself, or where it is. */
export type SecretReference = string | { readonly env: string } | { readonly file: string }

/** Shortest key, in bytes; also how long one that we make is. */
const keyBytes = 32
/** Largest file a secret is read from, in bytes. */
const secretFileLimitBytes = 65_536
/** Makes a key; told to people whose key is too short. */
export const makeKeyCommand = 'openssl rand -base64 32'

/** The file in the data folder that holds the master key when none is configured. */
export const masterKeyFile = 'master.key'

/** What a secret reference is resolved against. */
export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from. */
  folder: string
}

/**
 * The text of a secret, without white space at its ends.
 *
 * @throws Error with a sentence that continues the setting's name
 */
export function resolveSecret(reference: SecretReference, sources: SecretSources): string {
  if (typeof reference === 'string') return reference
  if ('env' in reference) {
    const text = sources.env[reference.env]?.trim() ?? ''
    if (text === '')
      throw new Error(`names the environment variable ${reference.env}, which is not set`)
    return text
  }
  const text = readSecretFile(resolve(sources.folder, reference.file), reference.file)
  if (text === '') throw new Error(`names the file ${reference.file}, which is empty`)
  return text
}

function readSecretFile(path: string, name: string): string {
  try {
    if (statSync(path).size > secretFileLimitBytes) throw new Error('it is too large for a secret')
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`names the file ${name}, which cannot be read: ${why}`, { cause: error })
  }
}

/**
 * The bytes of a configured key: hex, base64, base64url or plain text, at least 32 bytes. A text that is
 * long enough in the first of these is taken as that.
 *
 * @throws Error naming the command that makes a good one
 */
export function parseKeyBytes(text: string): Uint8Array {
  const encodings = [
    { pattern: /^(?:[0-9a-f]{2})+$/i, encoding: 'hex' },
    { pattern: /^[\w-]+={0,2}$/, encoding: 'base64url' },
    { pattern: /^[A-Za-z0-9+/]+={0,2}$/, encoding: 'base64' },
    { pattern: /^/, encoding: 'utf8' },
  ] as const
  for (const { pattern, encoding } of encodings) {
    if (!pattern.test(text)) continue
    const bytes = Buffer.from(text, encoding)
    if (bytes.length >= keyBytes) return bytes
  }
  throw new Error(`is shorter than ${keyBytes} bytes; make one with: ${makeKeyCommand}`)
}

/**
 * The master key of a data folder, created at first use with access for its owner alone.
 *
 * @param storeFile of the store that the key belongs to; relative to the folder or absolute
 * @throws Error when the store exists but its key is gone: a new key would open nothing in it
 */
export function openMasterKey(folder: string, storeFile: string): Uint8Array {
  makeFolder(folder)
  const path = join(folder, masterKeyFile)
  // The store is looked for first: another first start makes the key, then the store.
  const hasStore = existsSync(resolve(folder, storeFile))
  if (!existsSync(path)) {
    if (hasStore) throw toStartError(toLostKeySentence(path))
    createKeyFile(path)
  }
  try {
    return parseKeyBytes(readFileSync(path, 'utf8').trim())
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw toStartError(`The master key ${path} ${why}`, error)
  }
}

/**
 * Makes a folder for its owner alone, unless it is there.
 *
 * @throws Error `StartError` when it cannot be
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const isFileThere = code === 'EEXIST' || code === 'ENOTDIR'
    const why = isFileThere
      ? 'cannot be a folder, because a file is in its place'
      : `cannot be made as a folder (${code})`
    throw toStartError(`${folder} ${why}; choose another place with --data or --store`, error)
  }
}

function toLostKeySentence(path: string): string {
  return `${path} is missing, but the store it belongs to exists; restore the file from a backup or give its content as TOKEN_ENCRYPTION_KEY`
}

/** Writes a whole file and then gives it its name, so that two first starts agree on one key. */
function createKeyFile(path: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${randomBytes(keyBytes).toString('base64url')}\n`, {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  })
  try {
    linkSync(draft, path)
  } catch {
    // Some file systems have no links; where they have, the file exists because another start won.
    if (!existsSync(path)) renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}
