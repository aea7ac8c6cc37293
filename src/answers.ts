/** What answers carry besides what their endpoints put into them, and the documents that lie ready. */
import { type Context, type Document, isDocument } from './context.ts'
import { corsHeaders } from './oauth/cors.ts'
import type { ExchangeFactory } from './platform/create-exchange.ts'
import type { Answer } from './platform/exchange.ts'
import type { Route } from './routes.ts'

/** The answer with what every answer of ours carries; the gate sees to its own. */
export function addHeaders(
  answer: Answer,
  { cors, errors }: Pick<Route, 'cors' | 'errors'>,
  { config }: Pick<Context, 'config'>,
): Answer {
  if (errors === 'challenge') return answer
  const headers = {
    ...answer.headers,
    ...(config.issuer.startsWith('https:') && transportSecurity),
    ...(cors && anyOrigin),
  }
  return { ...answer, headers }
}

const transportSecurity = { 'strict-transport-security': 'max-age=31536000' }
const anyOrigin = corsHeaders()

/** Hands a document out, where the request is for one and no more has to be known of it. */
export type DocumentDesk = (request: Request, env: unknown) => Response | undefined

/**
 * The short way for documents: clients fetch them before anything else and over again, and for a document
 * the request's context costs more than the answer. Whatever is not a plain GET of one takes the long way.
 */
export function createDocumentDesk(
  routes: readonly Route[],
  context: Context,
  exchanges: ExchangeFactory,
): DocumentDesk {
  const { noSignIn, letAnyoneIn } = context.config
  // Then a request may have to be refused for its header fields.
  if (noSignIn && !letAnyoneIn) return () => undefined
  const desks = new Map(
    routes.flatMap((route) => {
      const { method, path, endpoint } = route
      if (method !== 'GET' || !isDocument(endpoint)) return []
      return [[path, { path, render: createRendering(endpoint, route, context) }]]
    }),
  )
  return (request, env) => {
    const found = request.method === 'GET' ? desks.get(findPath(request.url)) : undefined
    if (!found) return undefined
    const started = performance.now()
    const answer = found.render()
    context.metrics.time(found.path, answer.status, (performance.now() - started) / 1000)
    return exchanges.respond(answer, env)
  }
}

/** The document with all that it carries, made once for as long as it stays the same. */
function createRendering(document: Document, route: Route, context: Context): () => Answer {
  let plain: Answer | undefined
  let whole: Answer
  return () => {
    const answer = document.render(context)
    if (answer !== plain) whole = { ...addHeaders(answer, route, context), isKept: true }
    plain = answer
    return whole
  }
}

/** The path of an absolute URL, as it is written. */
function findPath(url: string): string {
  const begin = url.indexOf('/', url.indexOf('://') + 3)
  const query = url.indexOf('?', begin)
  return query < 0 ? url.slice(begin) : url.slice(begin, query)
}
