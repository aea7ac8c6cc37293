/**
 * `application-check/<client id>`: an application that was made at the identity provider for a client, until it is
 * known whether the client stays (`registration: management`).
 *
 * Written in the commit that makes the client, which expires by itself when nobody authorizes it; its application
 * does not. A job looks after that time: the application of a client that is gone is removed.
 */
import { defineRecord } from './record.ts'

/** What is to be looked at. */
export interface ApplicationCheck {
  /** The id at the identity provider. */
  readonly applicationId: string
  /** Unix seconds from which on it is looked at. */
  readonly dueAt: number
}

export const applicationChecks = defineRecord<ApplicationCheck>('application-check')
