/** The listeners of one store in this process: who is told when a key was written or deleted. */

/** Remembers listeners by prefix and tells them. */
export interface Hints {
  /** @returns a function that ends the subscription */
  subscribe(prefix: string, listener: (key: string) => void): () => void
  /** Tells whoever listens to one of these keys, soon after the caller is done. */
  tell(keys: readonly string[]): void
  /** Tells everyone that something changed and nobody knows what: each gets its own prefix. */
  tellAll(): void
  /** Whether anyone listens. */
  any(): boolean
}

/** Creates an empty set of listeners. Listeners must not throw. */
export function createHints(): Hints {
  const subscriptions = new Set<{ prefix: string; listener: (key: string) => void }>()
  return {
    subscribe(prefix, listener) {
      const subscription = { prefix, listener }
      subscriptions.add(subscription)
      return () => void subscriptions.delete(subscription)
    },
    tell(keys) {
      for (const { prefix, listener } of subscriptions) {
        for (const key of keys) if (key.startsWith(prefix)) queueMicrotask(() => listener(key))
      }
    },
    tellAll() {
      for (const { prefix, listener } of subscriptions) queueMicrotask(() => listener(prefix))
    },
    any: () => subscriptions.size > 0,
  }
}
