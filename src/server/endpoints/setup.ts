/**
 * GET|POST /setup: the first owner makes an account, with the one-time link that the first start printed.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { parseLocalEmail, parseNewPassword } from '../../identity/local.ts'
import { equalInConstantTime, sha256 } from '../../platform/crypto.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Installation, installations } from '../../storage/records/key.ts'
import type { Stored } from '../../storage/records/record.ts'
import {
  type Browser,
  bindBrowser,
  type FormBinding,
  findBrowser,
  mintFormToken,
  verifyFormToken,
  verifySameOrigin,
} from '../flow/browser.ts'
import { renderNoticePage } from '../pages/notice.ts'
import { renderSetupPage } from '../pages/setup.ts'
import { endpointPaths } from '../paths.ts'
import { readForm } from '../respond.ts'

/** Shows the form, to whoever has the link. */
export const showSetup: Endpoint = async (request, context) => {
  const token = new URL(request.url).searchParams.get('token') ?? ''
  await resolveInstallation(token, context)
  const known = findBrowser(request, 'setup', context)
  if (known) return showForm({ browser: known, token }, context)
  const browser = bindBrowser('setup', context)
  const page = showForm({ browser, token }, context)
  page.headers.append('set-cookie', browser.cookie)
  return page
}

/** Creates the owner's account and uses the link up. */
export const setup: Endpoint = async (request, context) => {
  verifySameOrigin(request, context)
  const params = await readForm(request, context)
  const token = params.get('token') ?? ''
  const installation = await resolveInstallation(token, context)
  const browser = findBrowser(request, 'setup', context) ?? bindBrowser('setup', context)
  verifyFormToken(params.get('csrf'), browser, toBinding(token), context)

  const email = params.get('email') ?? ''
  const password = params.get('password') ?? ''
  const problem = findProblem(email, password)
  if (problem !== undefined) return showForm({ browser, token, problem, email }, context)
  await useUp(installation, context)
  const user = await context.users.addLocal(email, password, 'owner')
  context.audit({
    event: 'user.added',
    outcome: 'ok',
    userId: user.record.value.id,
    details: { role: 'owner' },
  })
  return renderNoticePage({
    siteName: context.config.siteName,
    title: 'You are set up',
    paragraphs: [
      'Your account is ready. When an app asks to connect, sign in with this e-mail and password.',
      'The next page says how to connect one.',
    ],
    link: { href: '/', text: 'Connect an app' },
  })
}

/**
 * The installation whose set-up link was presented. Only failures are limited: guesses shut nobody out.
 *
 * @throws OAuthError `access_denied` (403) for a link that was used, replaced, or needed no longer because
 *   somebody has an account
 */
async function resolveInstallation(
  token: string,
  context: RequestContext,
): Promise<Stored<Installation>> {
  const installation = await installations.find(context.store, 'self')
  const expected = installation?.value.setupHash ?? ''
  const isNewest = equalInConstantTime(sha256(token), expected)
  if (installation && isNewest && !(await context.users.any())) return installation
  await context.limits.spend('setup', toPeerNetwork(context.exchange.peer))
  throw refuseLink()
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

function findProblem(email: string, password: string): string | undefined {
  try {
    parseLocalEmail(email)
    parseNewPassword(password)
    return undefined
  } catch (error) {
    if (error instanceof OAuthError) return error.description
    throw error
  }
}

async function useUp(installation: Stored<Installation>, context: RequestContext): Promise<void> {
  const { setupHash: _, ...rest } = installation.value
  const taken = await context.store.commit({
    check: [{ key: installation.key, version: installation.version }],
    set: [installations.write(installation.key, rest)],
  })
  if (!taken) throw refuseLink()
}

function showForm(
  {
    browser,
    token,
    problem,
    email,
  }: { browser: Browser; token: string; problem?: string; email?: string },
  context: RequestContext,
): Response {
  const csrf = mintFormToken(browser, toBinding(token), context)
  const view = {
    siteName: context.config.siteName,
    ...(problem !== undefined && { error: problem }),
    ...(email !== undefined && { email }),
    form: { action: endpointPaths.setup, token, csrf },
  }
  return renderSetupPage(view, problem === undefined ? 200 : 400)
}
