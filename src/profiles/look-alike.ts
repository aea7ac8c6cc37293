/**
 * Names that look like a known client's (CR-11).
 *
 * Anyone may register under any name, so the consent page warns when a client calls itself ChatGPT but
 * has its code sent elsewhere. It is a warning, never a refusal: a bridge may honestly be named after what
 * it connects.
 */
import type { ClientProfile } from './profile.ts'
import { profiles } from './registry.ts'

/** Shorter names are looked for as whole words only: `amp` is in `example`. */
const distinctiveLength = 6

/** For each Latin letter, what is drawn like it (after UTS 39) or written for it. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: 'аɑαᴀАΑᎪ4@',
  b: 'ЬВΒᏴʙ',
  c: 'сϲᴄСϹᏟƈ',
  d: 'ԁɗᴅᎠ',
  e: 'еєεᴇЕΕᎬ3ҽ',
  f: 'ƒϝꜰ',
  g: 'ɡցɢᏀԍ',
  h: 'һհʜНΗᎻ',
  j: 'јϳᴊЈᎫ',
  k: 'кκᴋКΚᏦ',
  l: 'iіıɩιӏⅼɪʟІΙӀᏞ1|ǀ!',
  m: 'мᴍМΜᎷ',
  n: 'ոɴΝη',
  o: 'оοσօᴏОΟՕ0',
  p: 'рρᴘРΡᏢ',
  q: 'ԛզԚ',
  r: 'гʀᎡ',
  s: 'ѕꜱЅᏚ5$',
  t: 'тτᴛТΤᎢ7',
  u: 'υսᴜՍ',
  v: 'νѵᴠѴᏙ',
  w: 'ԝωᴡԜᎳ',
  x: 'хχХΧ',
  y: 'уүγУΥҮʏ',
  z: 'ᴢΖᏃ',
}

const latin: ReadonlyMap<string, string> = new Map(
  Object.entries(lookAlikes).flatMap(([letter, others]) =>
    [...others].map((other) => [other, letter] as const),
  ),
)

/**
 * Finds the known client that a name resembles while its codes would go elsewhere.
 *
 * @param redirectHosts as `redirectHost` of `oauth/redirect-uri.ts` names them: host with port, or scheme.
 * @returns the known client's name, or undefined when the name is nobody's or every host is its own.
 */
export function findLookAlike(name: string, redirectHosts: readonly string[]): string | undefined {
  const known = findResembled(name)
  if (known === undefined) return undefined
  return redirectHosts.every((host) => isOwn(host, known)) ? undefined : known.name
}

/**
 * Whether a known client's own documents stand on this site: one may call itself Claude Code only where
 * Anthropic publishes that one (CM-15). True for clients that publish none.
 *
 * @param name as {@link findLookAlike} returns it
 */
export function isHomeOf(name: string, documentHost: string): boolean {
  const known = profiles.find((profile) => profile.name === name)
  const homes = profiles
    .filter((profile) => known && (profile === known || profile.variantOf === known.id))
    .flatMap(({ identification }) => identification.document?.ids ?? [])
    .map((id) => new URL(id).host)
  return homes.length === 0 || homes.includes(documentHost)
}

/** The known client whose name is the longest of those found: Claude Code rather than Claude. */
function findResembled(name: string): ClientProfile | undefined {
  const words = toSkeletons(name)
  const squeezed = words.join('')
  let found: { client: ClientProfile; length: number } | undefined
  for (const { client, wanted } of knownSkeletons) {
    const present =
      words.includes(wanted) ||
      squeezed === wanted ||
      (wanted.length >= distinctiveLength && squeezed.includes(wanted))
    if (present && wanted.length > (found?.length ?? 0)) found = { client, length: wanted.length }
  }
  return found?.client
}

/**
 * Every name of the clients whose destinations are known, as the eye sees it. People host some themselves,
 * and of others nobody has published where their codes go: any host can be theirs.
 */
const knownSkeletons = profiles.filter(isAtHomeSomewhere).flatMap((client) =>
  [client.name, ...(client.alsoCalled ?? [])].map((name) => ({
    client,
    wanted: toSkeletons(name).join(''),
  })),
)

function isAtHomeSomewhere({ redirects, variantOf }: ClientProfile): boolean {
  if (variantOf !== undefined) return false
  return redirects.hosts.length > 0 || redirects.schemes !== undefined || redirects.loopback
}

/** The words of a name, each reduced to what the eye sees. */
function toSkeletons(name: string): string[] {
  const drawn = [...name.normalize('NFKC')].map((char) => latin.get(char) ?? char).join('')
  const plain = drawn
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, (char) => latin.get(char) ?? ' ')
  const letters = [...plain].map((char) => latin.get(char) ?? char).join('')
  return letters.replaceAll('rn', 'm').replaceAll('vv', 'w').split(' ').filter(Boolean)
}

function isOwn(host: string, { redirects }: ClientProfile): boolean {
  const name = host.replace(/:\d+$/, '')
  if (redirects.hosts.includes(name) || redirects.schemes?.includes(name)) return true
  return redirects.loopback && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(name)
}
