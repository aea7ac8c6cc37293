/**
 * What an installation knows of itself: gathered by the command (`cli/doctor-self.ts`), judged here. What
 * could not be found out is undefined, and nothing is said of it.
 */
import type { Observation } from '../observation.ts'

/** Everything. */
export interface SelfFacts {
  /** Unix seconds by the clock of this machine. */
  readonly now: number
  /** Our issuer, as configured. */
  readonly publicUrl: string
  /** What may well be a mistake in the configuration. */
  readonly warnings: readonly ConfigurationProblem[]
  readonly address: AddressFacts
  readonly data: DataFacts
  readonly keys: KeyFacts
  readonly providers: readonly ProviderFacts[]
  readonly backends: readonly BackendFacts[]
  /** Metadata documents of clients that were asked for, each at another host; empty when none are read or asked. */
  readonly documents: readonly DocumentFacts[]
  readonly process: ProcessFacts
}

/** A problem of the configuration, as `gatehouse config check` has it. */
export interface ConfigurationProblem {
  readonly place: string
  readonly setting: string
  /** Continues the setting. */
  readonly problem: string
}

/** What the public URL answers. */
export interface AddressFacts {
  /** The server's own metadata; absent where it has none: with OAuth off, or with tokens of another issuer. */
  readonly metadata?: Observation | undefined
  readonly keySet?: Observation | undefined
  readonly resources: readonly {
    readonly backend: string
    /** What its metadata must say. */
    readonly resource: string
    readonly metadata: Observation
    /** Its path without a token; absent where a server of its own stands there, and no gate. */
    readonly gate?: Observation | undefined
  }[]
}

/** The store, its master key and what they lie on. */
export interface DataFacts {
  readonly place: string
  readonly driver: 'memory' | 'sqlite' | 'redis' | 'postgres'
  /** Why it cannot be used. */
  readonly problem?: string | undefined
  /** Undefined while there is no store yet. */
  readonly schema?: number | undefined
  readonly newestSchema?: number | undefined
  readonly rows?: number | undefined
  readonly sizeBytes?: number | undefined
  readonly durability?: Readonly<Record<string, string>> | undefined
  /** By how many seconds the clock of the store's server is ahead of this machine's, where it has one. */
  readonly aheadSeconds?: number | undefined
  /** The issuer that the first start wrote down. */
  readonly issuer?: string | undefined
  /** Where a copy that was not finished comes from. */
  readonly unfinishedCopy?: string | undefined
  readonly masterKey: {
    readonly from: 'configuration' | 'file' | 'nowhere'
    readonly path: string
    /** Why it does not open what is stored. */
    readonly problem?: string | undefined
  }
  /** The disk under the data folder. */
  readonly disk?: {
    readonly path: string
    readonly freeBytes: number
    readonly totalBytes: number
    readonly isWritable: boolean
  }
  /** Files that others must not read, with their permissions. */
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

/** The keys that sign tokens. */
export interface KeyFacts {
  /** What new keys are to be. */
  readonly algorithm: string
  readonly rotationSeconds: number
  /** Kids of the store; undefined when it could not be read. */
  readonly kids?: readonly string[] | undefined
  readonly signer?: { readonly kid: string; readonly algorithm: string; readonly activeAt: number }
  /** Whether a later key is published already. */
  readonly hasNext?: boolean
}

/** An identity provider, as far as can be seen without a person. */
export interface ProviderFacts {
  readonly id: string
  readonly label: string
  /** Its discovery document, or what there is in its place. */
  readonly reached?: Observation | undefined
  /** Why nobody can sign in with it. */
  readonly problem?: string | undefined
}

/** An MCP server behind the gate. */
export interface BackendFacts {
  readonly id: string
  readonly address: string
  readonly problem?: string | undefined
}

/** Whether the host of a metadata document answers. */
export interface DocumentFacts {
  readonly host: string
  /** Why it cannot be reached from here. */
  readonly problem?: string | undefined
}

/** The bounds of a process of this user on this machine. */
export interface ProcessFacts {
  /** Files and connections that may be open at once. */
  readonly openFiles?: number | undefined
  /** Memory that the process may have, in bytes, where something limits it. */
  readonly memoryBytes?: number | undefined
}
