/**
 * ChatGPT where the authorization server takes metadata documents: the same client, which then names an
 * address of its vendor as its `client_id` instead of registering.
 */
import type { ClientProfile } from '../profile.ts'
import { chatgpt } from './chatgpt.ts'

/** ChatGPT with a metadata document. */
export const chatgptDocument: ClientProfile = {
  ...chatgpt,
  id: 'chatgpt-document',
  name: 'ChatGPT (metadata document)',
  variantOf: 'chatgpt',
  sources: [
    {
      what: 'https://developers.openai.com/plugins/build/auth',
      kind: 'vendor',
      seen: '2026-10',
    },
    {
      what: 'https://github.com/django-oauth/django-oauth-toolkit/issues/1845',
      kind: 'capture',
      seen: '2026-09',
    },
    { what: 'https://github.com/PostHog/posthog/pull/80746', kind: 'report', seen: '2026-10' },
  ],
  problems: [
    'Its document names `private_key_jwt` and `none`. A connection that began with `none` stays with it: an authorization server that then demands an assertion breaks it.',
  ],
  identification: {
    ...chatgpt.identification,
    order: ['document', 'registration', 'typed-in'],
    document: {
      ids: ['https://chatgpt.com/oauth/client.json', 'https://chatgpt.com/oauth/{id}/client.json'],
      needsNone: false,
    },
  },
  tokens: { ...chatgpt.tokens, authenticates: ['none', 'private_key_jwt'] },
  requires: [...chatgpt.requires, 'token-for-public-client'],
}
