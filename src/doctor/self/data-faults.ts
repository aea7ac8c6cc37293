/** Whether the data is there, is ours, opens, and will last. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import { selfExplanations } from './explanations.ts'
import type { DataFacts, SelfFacts } from './self-facts.ts'

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
      createFinding(selfExplanations, 'store-unusable', {
        seen: `${data.place}: ${data.problem}`,
        evidence: [],
      }),
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
  return createFinding(selfExplanations, 'store-missing', {
    seen: `Nothing is at ${place}.`,
    evidence: [],
  })
}

function findSchema({ schema = 0, newestSchema = 0 }: DataFacts): Finding[] {
  if (schema >= newestSchema) return []
  return [
    createFinding(selfExplanations, 'store-schema-old', {
      seen: `The schema is ${schema}, the newest is ${newestSchema}.`,
      evidence: [],
    }),
  ]
}

function findOwner({ issuer }: DataFacts, publicUrl: string): Finding[] {
  if (issuer === undefined || issuer === publicUrl) return []
  return [
    createFinding(selfExplanations, 'store-of-other-issuer', {
      seen: `It was made for ${issuer}, publicUrl is ${publicUrl}.`,
      fix: `Set publicUrl to ${issuer}, use another store, or start once with --accept-new-issuer.`,
      evidence: [],
    }),
  ]
}

function findCopy({ unfinishedCopy }: DataFacts): Finding[] {
  if (unfinishedCopy === undefined) return []
  return [
    createFinding(selfExplanations, 'store-copy-unfinished', {
      seen: `The copy from ${unfinishedCopy} was not finished.`,
      evidence: [],
    }),
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
    createFinding(selfExplanations, 'store-forgets', {
      seen: `${found.map(([name, value]) => `${name} is ${value}`).join(', ')}.`,
      evidence: [],
    }),
  ]
}

function findMasterKeyFaults({ masterKey, schema }: DataFacts): Finding[] {
  const { from, path, problem } = masterKey
  if (from === 'nowhere' && schema !== undefined)
    return [
      createFinding(selfExplanations, 'master-key-missing', {
        seen: `There is a store, but neither a configured master key nor ${path}.`,
        fix: `Restore ${path} from a backup, or give its content as TOKEN_ENCRYPTION_KEY.`,
        evidence: [],
      }),
    ]
  if (problem === undefined) return []
  return [
    createFinding(selfExplanations, 'master-key-wrong', {
      seen: `The master key from ${from === 'file' ? path : 'the configuration'}: ${problem}`,
      evidence: [],
    }),
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
      createFinding(selfExplanations, 'disk-read-only', {
        seen: `This user may not write to ${path}.`,
        evidence: [],
      }),
    ]
  const isLow = freeBytes < totalBytes * lowShare
  const id = freeBytes < fullBytes ? 'disk-full' : isLow ? 'disk-low' : undefined
  return id === undefined ? [] : [createFinding(selfExplanations, id, { seen: free, evidence: [] })]
}

function findOpenFiles(files: DataFacts['files']): Finding[] {
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0)
  if (open.length === 0) return []
  const list = open.map(({ path, mode }) => `${path} has ${(mode & 0o777).toString(8)}`).join(', ')
  return [
    createFinding(selfExplanations, 'files-open', {
      seen: `${list}.`,
      evidence: [],
    }),
  ]
}
