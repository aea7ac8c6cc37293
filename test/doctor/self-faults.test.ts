/** What the facts of an installation are judged by, without one. */
import { describe, expect, it } from 'vitest'
import type { SelfFacts } from '../../src/doctor/self/self-facts.ts'
import { findSelfFaults } from '../../src/doctor/self/self-faults.ts'

describe('what an installation is judged by', () => {
  const sound: SelfFacts = {
    now: 1_800_000_000,
    publicUrl: 'https://auth.example',
    warnings: [],
    address: { resources: [] },
    data: {
      place: 'SQLite data/gatehouse.db',
      driver: 'sqlite',
      schema: 3,
      newestSchema: 3,
      masterKey: { from: 'file', path: 'data/master.key' },
      disk: { path: 'data', freeBytes: 40e9, totalBytes: 100e9, isWritable: true },
      files: [{ path: 'data', mode: 0o700 }],
    },
    keys: {
      algorithm: 'ES256',
      rotationSeconds: 2_592_000,
      signer: { kid: 'k1', algorithm: 'ES256', activeAt: 1_799_000_000 },
    },
    providers: [],
    backends: [],
    documents: [],
    process: { openFiles: 65_536 },
  }
  const { data, keys } = sound
  const disk = { path: 'data', freeBytes: 40e9, totalBytes: 100e9, isWritable: true }
  const signer = { kid: 'k1', algorithm: 'ES256', activeAt: 1_790_000_000 }

  const cases: readonly (readonly [string, Partial<SelfFacts>, readonly string[]])[] = [
    ['nothing, where all is well', {}, []],
    ['a full disk', { data: { ...data, disk: { ...disk, freeBytes: 1e6 } } }, ['disk-full']],
    ['a nearly full disk', { data: { ...data, disk: { ...disk, freeBytes: 4e9 } } }, ['disk-low']],
    [
      'a disk for reading only',
      { data: { ...data, disk: { ...disk, isWritable: false } } },
      ['disk-read-only'],
    ],
    ['an older schema', { data: { ...data, schema: 2 } }, ['store-schema-old']],
    [
      'a half copy',
      { data: { ...data, unfinishedCopy: 'SQLite old.db' } },
      ['store-copy-unfinished'],
    ],
    [
      'a forgetful Redis',
      { data: { ...data, durability: { appendOnly: 'no' } } },
      ['store-forgets'],
    ],
    [
      'a forgetful PostgreSQL',
      { data: { ...data, durability: { fsync: 'off' } } },
      ['store-forgets'],
    ],
    ['a key that nobody replaced', { keys: { ...keys, signer } }, ['signing-key-overdue']],
    ['a key whose successor is published', { keys: { ...keys, signer, hasNext: true } }, []],
    [
      'a key of another algorithm',
      { keys: { ...keys, algorithm: 'EdDSA' } },
      ['signing-key-algorithm'],
    ],
    ['few open files', { process: { openFiles: 256 } }, ['open-files-few']],
    ['little memory', { process: { memoryBytes: 64e6 } }, ['memory-small']],
    [
      'a provider that refuses us',
      { providers: [{ id: 'google', label: 'Google', problem: 'it refuses the client secret' }] },
      ['provider-problem'],
    ],
    [
      'no way to any document of a client',
      { documents: [{ host: 'claude.ai', problem: 'no connection came about' }] },
      ['documents-unreachable'],
    ],
    [
      'one host of documents that is down beside one that answers',
      { documents: [{ host: 'claude.ai', problem: 'no connection' }, { host: 'cursor.com' }] },
      [],
    ],
    [
      'a database whose clock is behind',
      { data: { ...data, place: 'PostgreSQL at db', aheadSeconds: -90 } },
      ['clock-differs'],
    ],
    ['a database that agrees', { data: { ...data, aheadSeconds: 2 } }, []],
    [
      'a warning of the configuration',
      { warnings: [{ place: 'gatehouse.yaml:1:1', setting: 'debug', problem: 'is true' }] },
      ['configuration-warning'],
    ],
  ]
  it.each(cases)('%s', (_, change, expected) => {
    expect(findSelfFaults({ ...sound, ...change }).map(({ id }) => id)).toEqual(expected)
  })
})
