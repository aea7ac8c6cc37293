/** What is known of each tunnel program: how it is started, what it prints, where to get it. */

/** A program that leads a public https address to a port of this machine. */
export interface TunnelProgram {
  readonly name: TunnelName
  /** Arguments that make it lead to a local origin, in the foreground. */
  readonly toArguments: (origin: string) => string[]
  /** Finds the public address in a line of its output. */
  readonly address: RegExp
  /** Lines that a person has to act on before there is an address. */
  readonly request?: RegExp
  /** Whether the next start may have another address, so that clients must be connected again. */
  readonly addressChanges: 'always' | 'maybe' | 'never'
  /** How to get it. */
  readonly installation: string
}

/** Names that `--tunnel` takes. */
export const tunnelNames = ['cloudflared', 'tailscale', 'ngrok'] as const

/** One of {@link tunnelNames}. */
export type TunnelName = (typeof tunnelNames)[number]

/** The programs by name. Sources: the manuals of cloudflared (quick tunnels), tailscale (funnel), ngrok (agent log). */
export const tunnelPrograms: Readonly<Record<TunnelName, TunnelProgram>> = {
  cloudflared: {
    name: 'cloudflared',
    toArguments: (origin) => ['tunnel', '--no-autoupdate', '--url', origin],
    // Its own service answers at api.trycloudflare.com, which error messages name.
    address: /https:\/\/(?!api\.)[a-z0-9-]+\.trycloudflare\.com(?![\w.-])/,
    addressChanges: 'always',
    installation:
      'brew install cloudflared, winget install Cloudflare.cloudflared, or https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/',
  },
  tailscale: {
    name: 'tailscale',
    toArguments: (origin) => ['funnel', origin],
    address: /https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+\.ts\.net(?![\w.-])/,
    request: /https:\/\/login\.tailscale\.com\/\S+/,
    addressChanges: 'never',
    installation: 'https://tailscale.com/download, then: tailscale up',
  },
  ngrok: {
    name: 'ngrok',
    toArguments: (origin) => ['http', origin, '--log=stdout', '--log-format=logfmt'],
    address: /(?<=\burl=)https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+(?![\w.-])/,
    addressChanges: 'maybe',
    installation: 'https://ngrok.com/download, then: ngrok config add-authtoken <token>',
  },
}
