/** What a stack of calls was there for: the headings under which a profile of Gatehouse is summed up. */

/** Tried in this order on every frame, `function file`; the first that fits one of them is it. */
const purposes: readonly [purpose: string, frame: RegExp][] = [
  ['the profiler itself', /node:inspector/],
  ['signature', /src\/tokens\/key-signature\.ts|^SignJob /],
  ['sealing and opening (AES-GCM, HMAC)', /^(?:seal|open)\w* src\//],
  [
    'audit line (redaction, pino, write)',
    /src\/operate\/(?:audit|log|redact)\.ts|node_modules\/pino/,
  ],
  ['metrics', /src\/operate\/metrics\.ts|node_modules\/prom-client/],
  ['store and records', /src\/storage\//],
  ['tokens, without signature and sealing', /src\/tokens\//],
  ['sending the answer (node:http, socket)', /^send src\/platform\/node-exchange\.ts/],
  ['endpoint and rules', /src\/(?:server|oauth|identity)\//],
  ['the gate', /src\/gate\//],
  ['routing, reading the body', /src\/(?:gatehouse\.ts|platform\/)/],
  ['Hono and @hono/node-server', /node_modules\/@?hono/],
]

/** The purpose of a stack, innermost frame first, each as `function file`. */
export function findPurpose(stack: readonly string[]): string {
  const [innermost = ''] = stack
  if (innermost.startsWith('(garbage collector)')) return 'garbage collection'
  if (innermost.startsWith('(program)')) return 'V8 and the event loop'
  const found = purposes.find(([, frame]) => stack.some((at) => frame.test(at)))
  return found?.[0] ?? 'receiving the request (node:http, socket), the event loop'
}
