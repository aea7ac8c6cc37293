import { expect } from 'vitest'
import type { TokenAnswer } from './oauth-client.ts'

/** Expects a refusal of the token endpoint (RFC 6749 §5.2): JSON that nobody keeps, with this error. */
export function expectError(
  { status, body, headers }: TokenAnswer,
  code: string,
  expected = 400,
): void {
  expect(body).toEqual({ error: code, error_description: expect.any(String) })
  expect(status).toBe(expected)
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('pragma')).toBe('no-cache')
}
