/** From what was sent and what came, secrets and all, to what may be kept. */
import type { ProbeRequest, ProbeResult, Send } from '../platform/probe.ts'
import { maskBody, maskHeaders, maskText } from './masking.ts'
import type { Observation, Probe } from './observation.ts'

/** The observation of one request: everything in it is masked. */
export function toObservation(request: ProbeRequest, result: ProbeResult): Observation {
  const { answer, failure, milliseconds } = result
  return {
    request: {
      method: request.method,
      url: maskText(request.url),
      headers: maskHeaders(request.headers),
      ...(request.body === undefined ? {} : { body: maskBody(request.body).body }),
    },
    ...(answer === undefined
      ? {}
      : {
          response: {
            status: answer.status,
            headers: maskHeaders(answer.headers),
            ...maskBody(answer.body),
          },
        }),
    ...(failure === undefined ? {} : { failure }),
    milliseconds,
  }
}

/** The observation of a request that was not made, with the reason in plain words. */
export function toUnsent(request: ProbeRequest, detail: string): Observation {
  return toObservation(request, { failure: { kind: 'not-sent', detail }, milliseconds: 0 })
}

/** A probe that sends, and keeps only what may be kept. */
export function createProbe(send: Send, anyCertificate = false): Probe {
  return async (request) => toObservation(request, await send(request, { anyCertificate }))
}

/**
 * Lets so many requests through.
 *
 * A visit promises the server how many it makes; one more is our mistake, hence TypeError.
 */
export function limitRequests(send: Send, allowed: number): Send {
  let sent = 0
  return (request, options) => {
    sent += 1
    if (sent > allowed) throw new TypeError(`No more than ${allowed} requests were to be sent`)
    return send(request, options)
  }
}
