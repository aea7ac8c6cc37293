/**
 * GET|POST /setup: the first owner makes an account, with the one-time link that the first start printed.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { parseLocalEmail, parseNewPassword } from '../../identity/local.ts'
import { equalInConstantTime, sha256 } from '../../platform/crypto.ts'
import type { Answer } from '../../platform/exchange.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Installation, installations } from '../../storage/records/key.ts'
import type { Stored } from '../../storage/records/record.ts'
import {
  type Browser,
  bindBrowser,
  type FormBinding,
  findBrowser,
  isFormToken,
  mintFormToken,
  verifyFormToken,
  verifySameOrigin,
} from '../flow/browser.ts'
import { renderNoticePage } from '../pages/notice.ts'
import { renderSetupPage } from '../pages/setup.ts'
import { readForm } from '../respond.ts'

/** Shows the form, to whoever has the link. */
export const showSetup: Endpoint = async (request, context) => {
  const token = new URL(request.url).searchParams.get('token') ?? ''
  if (!(await findInstallation(token, context))) {
    await spendFailure(context)
    throw refuseLink()
  }
  const known = findBrowser(request, 'setup', context)
  if (known) return showForm({ browser: known, token }, context)
  const browser = bindBrowser('setup', context)
  return { ...showForm({ browser, token }, context), cookies: [browser.cookie] }
}

/** Creates the owner's account and uses the link up. */
export const setup: Endpoint = async (request, context) => {
  verifySameOrigin(request, context)
  const params = await readForm(request, context)
  const token = params.get('token') ?? ''
  const account = { email: params.get('email') ?? '', password: params.get('password') ?? '' }
  const browser = findBrowser(request, 'setup', context) ?? bindBrowser('setup', context)
  const csrf = params.get('csrf')
  const isOurForm = isFormToken(csrf, browser, toBinding(token), context)
  const installation = await findInstallation(token, context)
  if (!installation) {
    await spendFailure(context)
    if (isOurForm && (await isTheirs(account, context))) return showDone(context)
    throw refuseLink()
  }
  verifyFormToken(csrf, browser, toBinding(token), context)
  const { email } = account
  const problem = findProblem(account)
  if (problem !== undefined) return showForm({ browser, token, problem, email }, context)
  await createOwner(installation, account, context)
  return showDone(context)
}

/** What the form asks for. */
interface Account {
  readonly email: string
  readonly password: string
}

/** Whether the account was made by this very form, whose first answer got lost on the way. */
async function isTheirs({ email, password }: Account, { users }: RequestContext): Promise<boolean> {
  return (await users.verifyPassword(email, password)) !== undefined
}

/** One commit makes the account and uses the link up: a fault leaves either both or neither. */
async function createOwner(
  { key, version, value }: Stored<Installation>,
  { email, password }: Account,
  context: RequestContext,
): Promise<void> {
  const { setupHash: _, ...rest } = value
  const useUp = { check: [{ key, version }], set: [installations.write(key, rest)] }
  const user = await context.users.addLocal(email, password, 'owner', useUp).catch((error) => {
    // Nobody had an account: somebody else used the link in the same moment, or made a newer one.
    if (error instanceof OAuthError && error.reason === 'email_taken') throw refuseLink()
    throw error
  })
  const userId = user.record.value.id
  context.audit({ event: 'user.added', outcome: 'ok', userId, details: { role: 'owner' } })
}

/**
 * The installation whose set-up link was presented; undefined for a link that was used, replaced, or is
 * needed no longer because somebody has an account.
 */
async function findInstallation(
  token: string,
  { store, users }: RequestContext,
): Promise<Stored<Installation> | undefined> {
  const installation = await installations.find(store, 'self')
  const expected = installation?.value.setupHash ?? ''
  const isNewest = equalInConstantTime(sha256(token), expected)
  return isNewest && !(await users.any()) ? installation : undefined
}

/** Only failures are limited: guesses shut nobody out. */
function spendFailure({ limits, exchange }: RequestContext): Promise<void> {
  return limits.spend('setup', toPeerNetwork(exchange.peer))
}

function refuseLink(): OAuthError {
  return new OAuthError(
    'access_denied',
    'This set-up link was already used or is not the newest one',
    {
      reason: 'setup_link_used',
    },
  )
}

function toBinding(token: string): FormBinding {
  return { subject: 'setup', step: sha256(token), session: '' }
}

function findProblem({ email, password }: Account): string | undefined {
  try {
    parseLocalEmail(email)
    parseNewPassword(password)
    return undefined
  } catch (error) {
    if (error instanceof OAuthError) return error.description
    throw error
  }
}

function showDone({ config }: RequestContext): Answer {
  return renderNoticePage({
    siteName: config.siteName,
    title: 'You are set up',
    paragraphs: [
      'Your account is ready. When an app asks to connect, sign in with this e-mail and password.',
      'The next page says how to connect one.',
    ],
    link: { href: '/', text: 'Connect an app' },
  })
}

function showForm(
  {
    browser,
    token,
    problem,
    email,
  }: { browser: Browser; token: string; problem?: string; email?: string },
  context: RequestContext,
): Answer {
  const csrf = mintFormToken(browser, toBinding(token), context)
  const view = {
    siteName: context.config.siteName,
    ...(problem !== undefined && { error: problem }),
    ...(email !== undefined && { email }),
    form: { action: context.config.paths.setup, token, csrf },
  }
  return renderSetupPage(view, problem === undefined ? 200 : 400)
}
