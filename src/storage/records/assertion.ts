/**
 * `assertion/<SHA-256 of client id and jti>`: a client assertion that was used (RFC 7523 §3).
 *
 * Kept until it would have expired anyway: whoever comes second with it is refused (TK-14).
 */
import { defineRecord } from './record.ts'

/** That it was used; unix seconds. */
export const usedAssertions = defineRecord<{ at: number }>('assertion')
