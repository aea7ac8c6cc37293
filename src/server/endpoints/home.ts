/** GET /: what this address is, and how to connect to it. */
import type { Endpoint } from '../../context.ts'
import { renderHomePage } from '../pages/home.ts'

/** Shows the home page. */
export const home: Endpoint = async (_request, { config }) =>
  renderHomePage({
    siteName: config.siteName,
    issuer: config.issuer,
    servers: config.backends.map(({ name, resource }) => ({ name, url: resource })),
  })
