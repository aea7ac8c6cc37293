/**
 * A telecom's MCP server: stores and plans for everyone, an account, changes and payments for who may.
 *
 * It trusts what Gatehouse says of the caller in header fields and asks for no scope itself: which tool needs
 * which scope is the policy in `gatehouse.yaml`. Start it with `node examples/att/server.ts 3000`.
 */
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Backend, readPort, serveMcp, toText } from '../serve-mcp.ts'

const stores = [
  { city: 'Dallas', address: '208 South Street', hours: '9-20' },
  { city: 'Austin', address: '11 Congress Walk', hours: '10-21' },
  { city: 'Houston', address: '5 Bayou Place', hours: '9-19' },
]
const plans = [
  { id: 'basic', name: 'Basic 5 GB', monthly: 25 },
  { id: 'plus', name: 'Plus 40 GB', monthly: 45 },
  { id: 'unlimited', name: 'Unlimited', monthly: 65 },
]

/** Starts the telecom. Its one account lives as long as it does. */
export function startTelecom(port: number): Promise<Backend> {
  const account = { plan: 'basic', balance: 25 }
  return serveMcp(() => createTelecom(account), port)
}

function createTelecom(account: { plan: string; balance: number }): McpServer {
  const server = new McpServer({ name: 'telecom', version: '1.0.0' })
  const reading = { readOnlyHint: true, openWorldHint: false }
  server.registerTool(
    'find_stores',
    {
      description: 'Stores, in one city or all',
      inputSchema: z.object({ city: z.string().optional() }),
      annotations: reading,
    },
    async ({ city }) => {
      const here = stores.filter((store) => city === undefined || store.city === city)
      return toText(JSON.stringify(here))
    },
  )
  server.registerTool('list_plans', { description: 'All plans', annotations: reading }, async () =>
    toText(JSON.stringify(plans)),
  )
  server.registerTool(
    'show_account',
    { description: 'Plan and balance of the account', annotations: reading },
    async () => toText(JSON.stringify(account)),
  )
  addChanges(server, account)
  return server
}

function addChanges(server: McpServer, account: { plan: string; balance: number }): void {
  server.registerTool(
    'change_plan',
    {
      description: 'Moves the account to another plan',
      inputSchema: z.object({ plan: z.enum(['basic', 'plus', 'unlimited']) }),
    },
    async ({ plan }) => {
      account.plan = plan
      return toText(`The plan is now ${plan}`)
    },
  )
  server.registerTool(
    'pay_bill',
    {
      description: 'Pays towards the balance',
      inputSchema: z.object({ amount: z.number().positive() }),
    },
    async ({ amount }) => {
      account.balance -= amount
      return toText(`Paid ${amount}; the balance is ${account.balance}`)
    },
  )
}

if (import.meta.main) console.log(`Telecom at ${(await startTelecom(readPort(3000))).url}`)
