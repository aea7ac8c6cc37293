/** Whether the data is there, is ours, opens, and will last. */
import type { Finding } from '../finding.ts'
import type { DataFacts, SelfFacts } from './self-facts.ts'

const none = { evidence: [], breaks: [] } as const
const mebibyte = 1024 * 1024
/** Less is no room for a checkpoint of the store and a backup. */
const fullBytes = 64 * mebibyte
const lowShare = 0.05

/** Faults of store, master key and disk. */
export function findDataFaults(facts: SelfFacts): Finding[] {
  const { data } = facts
  return [...findStoreFaults(facts), ...findMasterKeyFaults(data), ...findDiskFaults(data)]
}

function findStoreFaults({ data, publicUrl }: SelfFacts): Finding[] {
  if (data.problem !== undefined)
    return [
      {
        ...none,
        id: 'store-unusable',
        severity: 'fault',
        title: 'The store cannot be used',
        seen: `${data.place}: ${data.problem}`,
        why: 'Without its store Gatehouse answers 503 to everything.',
        fix: 'Do what the message says; gatehouse store status asks again.',
        gatehouse: 'store',
      },
    ]
  if (data.driver === 'memory') return []
  if (data.schema === undefined) return [toMissing(data)]
  return [
    ...findSchema(data),
    ...findOwner(data, publicUrl),
    ...findCopy(data),
    ...findWeakness(data),
  ]
}

function toMissing({ place }: DataFacts): Finding {
  return {
    ...none,
    id: 'store-missing',
    severity: 'note',
    title: 'There is no store yet',
    seen: `Nothing is at ${place}.`,
    why: 'The first start makes it. If your server has run before, it uses another store.',
    fix: 'Start the server, or name its store with --config, --data or --store.',
    gatehouse: 'data, store',
  }
}

function findSchema({ schema = 0, newestSchema = 0 }: DataFacts): Finding[] {
  if (schema >= newestSchema) return []
  return [
    {
      ...none,
      id: 'store-schema-old',
      severity: 'risk',
      title: 'The store has an older schema than this version',
      seen: `The schema is ${schema}, the newest is ${newestSchema}.`,
      why: 'The next start migrates it, which servers of an older version may not survive.',
      fix: 'Make a backup, then run gatehouse store migrate.',
    },
  ]
}

function findOwner({ issuer }: DataFacts, publicUrl: string): Finding[] {
  if (issuer === undefined || issuer === publicUrl) return []
  return [
    {
      ...none,
      id: 'store-of-other-issuer',
      severity: 'fault',
      title: 'The store belongs to another public URL',
      seen: `It was made for ${issuer}, publicUrl is ${publicUrl}.`,
      why: 'The server does not start with it: every connected app would have to be connected again.',
      fix: `Set publicUrl to ${issuer}, use another store, or start once with --accept-new-issuer.`,
      gatehouse: 'publicUrl, acceptNewIssuer',
    },
  ]
}

function findCopy({ unfinishedCopy }: DataFacts): Finding[] {
  if (unfinishedCopy === undefined) return []
  return [
    {
      ...none,
      id: 'store-copy-unfinished',
      severity: 'fault',
      title: 'The store is only a part of a copy',
      seen: `The copy from ${unfinishedCopy} was not finished.`,
      why: 'The server does not start with half of the data.',
      fix: 'Run the same gatehouse store copy again, with no server running on either store.',
    },
  ]
}

/** Values with which an acknowledged change can be gone after a crash. */
const weak: Readonly<Record<string, string>> = {
  appendOnly: 'no',
  appendFsync: 'no',
  noFsyncOnRewrite: 'yes',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

function findWeakness({ durability = {} }: DataFacts): Finding[] {
  const found = Object.entries(durability).filter(([name, value]) => weak[name] === value)
  if (found.length === 0) return []
  return [
    {
      ...none,
      id: 'store-forgets',
      severity: 'risk',
      title: 'The store can forget what it acknowledged',
      seen: `${found.map(([name, value]) => `${name} is ${value}`).join(', ')}.`,
      why: 'After a crash used codes and revoked access could come back, and people would have to sign in again.',
      fix: 'Redis: appendonly yes, appendfsync always or everysec. PostgreSQL: fsync, synchronous_commit and full_page_writes on.',
      gatehouse: 'store.onWeakDurability',
    },
  ]
}

function findMasterKeyFaults({ masterKey, schema }: DataFacts): Finding[] {
  const { from, path, problem } = masterKey
  if (from === 'nowhere' && schema !== undefined)
    return [
      {
        ...none,
        id: 'master-key-missing',
        severity: 'fault',
        title: 'The master key is gone',
        seen: `There is a store, but neither a configured master key nor ${path}.`,
        why: 'Nothing that is sealed in the store can be opened: signing keys, secrets, tokens of providers.',
        fix: `Restore ${path} from a backup, or give its content as TOKEN_ENCRYPTION_KEY.`,
        gatehouse: 'tokenEncryptionKey',
      },
    ]
  if (problem === undefined) return []
  return [
    {
      ...none,
      id: 'master-key-wrong',
      severity: 'fault',
      title: 'The master key does not open the store',
      seen: `The master key from ${from === 'file' ? path : 'the configuration'}: ${problem}`,
      why: 'The server does not start with it.',
      fix: 'Use the master key that belongs to this store. To change it, give the old one as tokenEncryptionKeyPrevious at the next start.',
      gatehouse: 'tokenEncryptionKey, tokenEncryptionKeyPrevious',
    },
  ]
}

function findDiskFaults({ disk, files }: DataFacts): Finding[] {
  return [...(disk ? findSpace(disk) : []), ...findOpenFiles(files)]
}

function findSpace(disk: NonNullable<DataFacts['disk']>): Finding[] {
  const { path, freeBytes, totalBytes, isWritable } = disk
  const free = `${Math.floor(freeBytes / mebibyte)} of ${Math.floor(totalBytes / mebibyte)} MiB are free at ${path}.`
  if (!isWritable)
    return [
      {
        ...none,
        id: 'disk-read-only',
        severity: 'fault',
        title: 'The data folder cannot be written to',
        seen: `This user may not write to ${path}.`,
        why: 'Nothing can be stored, so nobody can sign in.',
        fix: 'Give the folder to the user that Gatehouse runs as, and mount it writable.',
        gatehouse: 'data',
      },
    ]
  const isFull = freeBytes < fullBytes
  if (!isFull && freeBytes >= totalBytes * lowShare) return []
  return [
    {
      ...none,
      id: isFull ? 'disk-full' : 'disk-low',
      severity: isFull ? 'fault' : 'risk',
      title: isFull
        ? 'The disk of the data folder is full'
        : 'The disk of the data folder is nearly full',
      seen: free,
      why: 'A store that cannot grow refuses every change: nobody can sign in or refresh.',
      fix: 'Make room, or move the data to a larger disk.',
      gatehouse: 'data',
    },
  ]
}

function findOpenFiles(files: DataFacts['files']): Finding[] {
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0)
  if (open.length === 0) return []
  const list = open.map(({ path, mode }) => `${path} has ${(mode & 0o777).toString(8)}`).join(', ')
  return [
    {
      ...none,
      id: 'files-open',
      severity: 'risk',
      title: 'Other users of this machine may get at the data',
      seen: `${list}.`,
      why: 'Whoever reads the master key and the store can sign tokens in your name.',
      fix: 'Take the rights of group and others away: chmod 700 for the folder, chmod 600 for its files.',
      gatehouse: 'data',
    },
  ]
}
