/** What people and clients do at Gatehouse, told so that it can be done while the store fails. */
import { expect } from 'vitest'
import { families } from '../../src/storage/records/family.ts'
import { grants, grantUses } from '../../src/storage/records/grant.ts'
import { users } from '../../src/storage/records/user.ts'
import type { Page } from '../helpers/browser.ts'
import { readClaims } from '../helpers/oauth-client.ts'
import { ada, bob } from '../helpers/site.ts'
import type { Life, Wish } from './outage-life.ts'
import { type Answer, type Habit, habits } from './outage-person.ts'
import type { SignIn } from './outage-template.ts'

/** One story: how it begins, undisturbed, and what happens then. */
export interface Story {
  readonly title: string
  readonly signIn: SignIn
  /** Whether the backend is called. Default false. */
  readonly hasGate?: boolean
  /** What the person of the story may do about a failed page. */
  readonly habits: readonly Habit[]
  /** Operations among those that fail. */
  readonly mustFail?: readonly string[]
  begin?(life: Life): Promise<unknown>
  tell(life: Life): Promise<void>
}

/** What shows the most. */
const usual: readonly Habit[] = [
  'reloads the page',
  'goes back and presses again',
  'follows the link',
]

const narrowed = { scope: 'notes:read notes:write' }

/** Goes through every page as Ada: continues, signs in, allows. */
function asAda(changes: Partial<Answer> = {}): Wish['answer'] {
  return (page) => {
    if (page.url.pathname === '/sign-in') return signInAs(ada, page)
    return { ...changes, button: ['decision', 'allow'] }
  }
}

function signInAs(person: typeof ada, { text }: Page): Answer {
  if (!text.includes('name="password"')) return { button: ['upstream', 'instant'] }
  return { button: ['', ''], typed: person }
}

/** Types the wrong password until told that it is wrong. */
function asForgetfulAda(): Wish['answer'] {
  const allow = asAda({ unticked: ['notes:write'] })
  let wasTold = false
  return (page) => {
    wasTold ||= page.text.includes('The e-mail or the password is wrong')
    if (wasTold || page.url.pathname !== '/sign-in') return allow(page)
    return signInAs({ ...ada, password: 'not my password' }, page)
  }
}

/** Signed in as Ada, goes on as Bob, thinks better of it and is Ada again. */
function asBobForAMoment(): Wish['answer'] {
  let wanted = bob
  return ({ url, text, ...page }) => {
    if (url.pathname === '/sign-in') return signInAs(wanted, { url, text, ...page })
    if (text.includes(bob.email)) wanted = ada
    const isOther = text.includes('value="switch"') && !text.includes(wanted.email)
    return { button: ['decision', isOther ? 'switch' : 'allow'] }
  }
}

const deny: Wish['answer'] = () => ({ button: ['decision', 'deny'] })
const remember = asAda({ ticked: [['remember', 'yes']] })
const bookmark = { 'sec-fetch-site': 'none' }

/** Uses up what a client got: calls, refreshes, introspects, gives it back. */
async function useTokens(life: Life, { access_token, refresh_token }: Tokens): Promise<void> {
  const gid = String(readClaims(access_token).gid)
  expect(await life.call(access_token)).toBe(200)
  // The use of a token is recorded beside the call that is answered: when that failed, the next call tries.
  for (let calls = 0; !(await grantUses.find(life.rows, gid)); calls++) {
    expect(calls).toBeLessThan(60)
    life.clock.advance(20)
    expect(await life.call(access_token)).toBe(200)
  }

  const first = await life.refresh(refresh_token)
  expect(first.status).toBe(200)
  const second = await life.refresh(first.body.refresh_token)
  expect(second.status).toBe(200)
  expect((await families.find(life.rows, gid))?.value.generation).toBe(2)
  for (const token of [second.body.access_token, second.body.refresh_token]) {
    expect(await life.introspect(token)).toMatchObject({ active: true })
  }
  await life.revoke(access_token)
  expect(await life.call(access_token)).toBe(401)
  expect(await life.call(second.body.access_token)).toBe(200)
  await life.revoke(second.body.refresh_token)
  expect(await life.call(second.body.access_token)).toBe(401)
  expect(await life.introspect(second.body.access_token)).toEqual({ active: false })
  expect((await life.refresh(second.body.refresh_token)).body.error).toBe('invalid_grant')
  expect(await grants.find(life.rows, gid)).toBeUndefined()
}

interface Tokens {
  access_token?: string
  refresh_token?: string
}

/** What a client got before anything failed. */
const kept = new WeakMap<Life, Tokens>()

const newcomer: Story = {
  title: 'somebody new mistypes the password, allows a part, and the client uses it',
  habits,
  signIn: 'password',
  async tell(life) {
    const client = await life.register()
    const tokens = await life.connect({ client, extra: narrowed, answer: asForgetfulAda() })
    expect(tokens.scope).toBe('notes:read')
  },
}

const client: Story = {
  title: 'a client calls, refreshes, asks about its tokens and gives them back',
  signIn: 'password',
  habits: ['reloads the page'],
  mustFail: ['get vault/self', 'list ended/', 'list key/', 'get installation/self'],
  hasGate: true,
  begin: async (life) => kept.set(life, await life.connect({ answer: asAda() })),
  async tell(life) {
    await life.restart()
    await useTokens(life, kept.get(life) ?? {})
  },
}

const regular: Story = {
  title: 'somebody signed in lets the choice be remembered, comes back twice, and denies',
  habits: usual,
  signIn: 'password',
  begin: (life) => life.signInAda(),
  async tell(life) {
    await life.connect({ answer: remember })
    const extra = { prompt: 'none' }
    await life.connect({ headers: bookmark, answer: asAda() })
    await life.connect({ headers: bookmark, extra, answer: refuseToAnswer })
    const asked = { prompt: 'consent' }
    const back = await life.authorize({ headers: bookmark, extra: asked, answer: deny })
    expect(back.get('error')).toBe('access_denied')
  },
}

/** Nothing is asked of somebody who must not be asked. */
const refuseToAnswer: Wish['answer'] = ({ url, text }) => {
  throw new Error(`A page at ${url}: ${text}`)
}

const switcher: Story = {
  title: 'somebody signed in uses another account, and the first one again',
  habits: usual,
  signIn: 'password',
  begin: (life) => life.signInAda(),
  async tell(life) {
    const tokens = await life.connect({ answer: asBobForAMoment() })
    expect(readClaims(tokens.access_token).sub).toBe(life.adaId)
  },
}

const newLogin: Story = {
  title: 'somebody signed in has to sign in anew',
  habits: usual,
  signIn: 'password',
  begin: (life) => life.signInAda(),
  async tell(life) {
    await life.connect({ extra: { prompt: 'login' }, answer: asAda() })
  },
}

const traveller: Story = {
  title: 'somebody new signs in at a provider, and once more, and is turned away there',
  habits: [...usual, 'goes back, reloads and goes on'],
  signIn: 'provider',
  async tell(life) {
    await life.connect({ answer: asAda() })
    await life.connect({ extra: { prompt: 'login' }, answer: asAda() })
    life.declines = true
    const back = await life.authorize({ extra: { prompt: 'login' }, answer: asAda() })
    expect(back.get('error')).toBe('access_denied')
  },
}

const nobody: Story = {
  title: 'somebody allows where nobody signs in',
  habits: usual,
  signIn: 'nobody',
  hasGate: true,
  async tell(life) {
    const tokens = await life.connect({ answer: asAda() })
    expect(await life.call(tokens.access_token)).toBe(200)
    await life.connect({ answer: asAda() })
  },
}

/** Passwords are hashed at their full cost here, so it is told seldom and by itself. */
export const setUp: Story = {
  title: 'the first owner sets up an account',
  signIn: 'set-up',
  habits: ['reloads the page'],
  mustFail: ['list user/'],
  async tell(life) {
    const url = life.setUpLink
    const page = await life.person.run({
      url,
      answer: ({ text }) =>
        text.includes('name="password"') ? { button: ['', ''], typed: ada } : undefined,
    })
    expect(page.text).toContain('<title>You are set up')
    expect(await users.list(life.rows)).toHaveLength(1)
  },
}

/** All of them but the set-up. */
export const stories: readonly Story[] = [
  newcomer,
  client,
  regular,
  switcher,
  newLogin,
  traveller,
  nobody,
]
