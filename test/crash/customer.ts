/** A client and its user who write down everything that was acknowledged to them. */
import { createBrowser } from '../helpers/browser.ts'
import { approve } from '../helpers/live.ts'
import {
  authorizePath,
  postForm,
  type Registered,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'

/** What the server acknowledged so far. */
export interface Receipt {
  client?: Registered
  /** The newest refresh token that an answer carried. */
  refreshToken?: string
  rotations: number
  /** Set when the client asked to give the grant back, and when that was acknowledged. */
  revocation?: 'asked' | 'acknowledged'
}

type Send = (path: string, init?: RequestInit) => Promise<Response>

export function senderTo(origin: string): Send {
  return (path, init) => fetch(origin + path, init)
}

/** Registers, signs in, gets tokens, refreshes twice, revokes. Stops with an exception when the server dies. */
export async function walk(origin: string, receipt: Receipt): Promise<void> {
  const send = senderTo(origin)
  receipt.client ??= await registerClient(send)
  await signIn(origin, receipt.client, receipt)
  for (let turn = 0; turn < 2; turn++) await rotate(send, receipt)
  await revoke(send, receipt)
}

/** From the authorization request to the first tokens. */
export async function signIn(origin: string, client: Registered, receipt: Receipt): Promise<void> {
  const browser = createBrowser(origin, (request) => fetch(request))
  const back = await approve(browser, origin + authorizePath(client))
  const code = back.url.searchParams.get('code')
  if (code === null) throw new Error(`No code: ${back.status} ${back.url} ${back.text}`)
  const { status, body } = await redeem(senderTo(origin), client, code)
  if (status !== 200) throw new Error(`Redemption: ${status} ${JSON.stringify(body)}`)
  receipt.refreshToken = body.refresh_token ?? ''
}

/** One refresh, noted once it is answered. */
export async function rotate(send: Send, receipt: Receipt): Promise<void> {
  if (!receipt.client || receipt.refreshToken === undefined) return
  const { status, body } = await refresh(send, receipt.client, receipt.refreshToken)
  if (status !== 200) throw new Error(`Refresh: ${status} ${JSON.stringify(body)}`)
  receipt.refreshToken = body.refresh_token ?? ''
  receipt.rotations += 1
}

async function revoke(send: Send, receipt: Receipt): Promise<void> {
  const { client, refreshToken } = receipt
  if (!client || refreshToken === undefined) return
  receipt.revocation = 'asked'
  const { status } = await postForm(send, '/revoke', {
    client_id: client.client_id,
    token: refreshToken,
  })
  if (status === 200) receipt.revocation = 'acknowledged'
}

/** Whether everything acknowledged is still true; says what is not. */
export async function findLoss(origin: string, receipt: Receipt): Promise<string | undefined> {
  const { client, refreshToken, revocation } = receipt
  if (!client) return undefined
  const send = senderTo(origin)
  const page = await send(authorizePath(client), { redirect: 'manual' })
  if (page.status !== 200) return `client ${client.client_id} is gone: ${page.status}`
  if (refreshToken === undefined) return undefined
  const { status, body } = await refresh(send, client, refreshToken)
  if (revocation === 'acknowledged' && status !== 400) return 'a revoked grant lives'
  if (revocation !== undefined) return undefined
  return status === 200 ? undefined : `grant is gone: ${status} ${body.error_description}`
}
