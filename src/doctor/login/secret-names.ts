/** Names in place of secrets: in reports a token is `[refresh token 1]`, and the same one is so everywhere. */

/** The secrets of one login. */
export interface SecretNames {
  /** Takes a secret down and returns it. What is no text, or too short to be secret, is left alone. */
  name<T>(label: string, secret: T): T
  /** The same value with every secret that is known by now replaced, in any encoding of a request. */
  mask<T>(value: T): T
}

/** Shorter texts are no secrets, and would be found inside of harmless words. */
const shortestSecret = 6

/** Header fields that are secret whatever they hold. */
const secretFields: ReadonlySet<string> = new Set(['set-cookie', 'cookie'])

/** Nothing is known yet. */
export function createSecretNames(): SecretNames {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  return {
    name(label, secret) {
      if (typeof secret !== 'string' || secret.length < shortestSecret || names.has(secret))
        return secret
      const count = (counts.get(label) ?? 0) + 1
      counts.set(label, count)
      for (const form of listForms(secret)) names.set(form, `[${label} ${count}]`)
      return secret
    },
    mask<T>(value: T) {
      const longestFirst = [...names].toSorted(([a], [b]) => b.length - a.length)
      return maskAny(value, longestFirst) as T
    },
  }
}

/** Secrets and the names that stand for them. */
type Names = readonly (readonly [secret: string, name: string])[]

function maskAny(value: unknown, names: Names): unknown {
  if (typeof value === 'string') return maskText(value, names)
  if (Array.isArray(value)) return value.map((item) => maskAny(item, names))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => [
    maskText(name, names),
    secretFields.has(name) ? '[cookie]' : maskAny(member, names),
  ])
  return Object.fromEntries(members)
}

function maskText(text: string, names: Names): string {
  return names.reduce((masked, [secret, name]) => masked.replaceAll(secret, name), text)
}

/** As it is, in a query, in a form, and in JSON as PHP and others write it. */
function listForms(secret: string): string[] {
  const form = new URLSearchParams({ '': secret }).toString().slice(1)
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, encodeURIComponent(secret), form, json, json.replaceAll('/', '\\/')]
}
