import { describe, expect, it } from 'vitest'
import { addRedirectUris, parseClientDocument } from '../../src/oauth/client-document.ts'
import { isDocumentClientId } from '../../src/oauth/document-client-id.ts'
import { findPinnedDocument, pinnedDocuments } from '../../src/profiles/pinned-documents.ts'
import { profiles } from '../../src/profiles/registry.ts'

describe('the copies of vendors’ documents', () => {
  it.each(pinnedDocuments.map(({ id }) => id.replaceAll('{id}', 'AbC_12-x')))(
    '%s stands every check of an original (CM-17)',
    (id) => {
      expect(isDocumentClientId(id)).toBe(true)
      const copy = findPinnedDocument(id)
      const document = parseClientDocument(id, copy?.text ?? '')
      expect(document.authMethods).toContain('none')
      expect(() => addRedirectUris(document, copy?.alsoRedirectsTo ?? [])).not.toThrow()
      expect(copy?.text).not.toContain('{id}')
    },
  )

  it('carry the segment of their id on into their redirect URIs', () => {
    const id = 'https://chatgpt.com/oauth/codex/4-bzS8rt42zJ/client.json'
    const { metadata } = parseClientDocument(id, findPinnedDocument(id)?.text ?? '')
    expect(metadata.redirect_uris).toEqual([
      'http://127.0.0.1/callback/4-bzS8rt42zJ',
      'http://localhost/callback/4-bzS8rt42zJ',
    ])
  })

  it('tell Codex from a ChatGPT connection that is called codex', () => {
    const copy = findPinnedDocument('https://chatgpt.com/oauth/codex/client.json')
    expect(copy?.text).toContain('"client_name":"Codex"')
  })

  it.each([
    'https://claude.ai/oauth/claude-code-client-metadata/',
    'https://claude.ai/oauth/another-client-metadata',
    'https://claude.ai.evil.example/oauth/claude-code-client-metadata',
    'https://chatgpt.com/oauth/a/b/client.json',
    'https://chatgpt.com/oauth//client.json',
    'https://chatgpt.com/oauth/{id}/client.json',
    'https://chatgpt.com/oauth/codex/a%2fb/client.json',
  ])('are for their ids alone, not for %s', (id) => {
    expect(findPinnedDocument(id)).toBeUndefined()
  })

  it('are of clients that have a profile, which says the same id', () => {
    const known = profiles.flatMap(({ identification }) => identification.document?.ids ?? [])
    const copied = pinnedDocuments.map(({ id }) => id).filter((id) => !id.includes('{id}'))
    expect(copied.filter((id) => !known.includes(id))).toEqual([])
  })
})
