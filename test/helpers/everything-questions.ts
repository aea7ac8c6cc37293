/** The tools of the everything server that ask the person, the model or the client before they answer. */
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { toText } from './everything-tools.ts'

/** What a tool remembers from one round to the next. */
export type StateCodec = RequestStateCodec<{ round: number }>

type Answer = CallToolResult | InputRequiredResult
type Mcp = ServerContext['mcpReq']

const name = z.object({ name: z.string() })
const ok = z.object({ ok: z.boolean() })
const color = z.object({ color: z.string() })

const askName = inputRequired.elicit({ message: 'What is your name?', requestedSchema: name })
const askOk = inputRequired.elicit({ message: 'Please confirm', requestedSchema: ok })

/** Adds them; `state` seals what they remember between rounds. */
export function addQuestions(server: McpServer, state: StateCodec): void {
  addPlainQuestions(server)
  addSimpleRounds(server)
  addStatefulRounds(server, state)
  addCapabilityTools(server)
}

function askModel(text: string, maxTokens = 100) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  })
}

/** The answer for the key once it has come, the question until then. */
function askOnce(
  mcpReq: Mcp,
  inputRequests: InputRequests,
  toAnswer: (given: unknown) => string,
): Answer {
  const given = Object.keys(inputRequests).map((key) => mcpReq.inputResponses?.[key])
  if (given.includes(undefined)) return inputRequired({ inputRequests })
  return toText(toAnswer(given.length === 1 ? given[0] : given))
}

function addPlainQuestions(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, { mcpReq }) =>
      askOnce(
        mcpReq,
        { answer: askModel(prompt) },
        (given) => `LLM response: ${JSON.stringify(given)}`,
      ),
  )
  const person = z.object({
    username: z.string().describe("User's response"),
    email: z.string().describe("User's email address"),
  })
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the person', inputSchema: z.object({ message: z.string() }) },
    ({ message }, { mcpReq }) =>
      askOnce(
        mcpReq,
        { answer: inputRequired.elicit({ message, requestedSchema: person }) },
        (given) => `User response: ${JSON.stringify(given)}`,
      ),
  )
  for (const [tool, properties] of Object.entries(forms))
    server.registerTool(
      tool,
      { description: 'Asks the person to fill in a form' },
      ({ mcpReq }) => {
        const requestedSchema = { type: 'object' as const, properties }
        const answer = inputRequired.elicit({ message: 'Please fill this in', requestedSchema })
        return askOnce(
          mcpReq,
          { answer },
          (given) => `Elicitation completed: ${JSON.stringify(given)}`,
        )
      },
    )
}

type Form = Extract<
  Parameters<typeof inputRequired.elicit>[0]['requestedSchema'],
  { properties: unknown }
>['properties']

const options = ['option1', 'option2', 'option3']
const titled = ['First', 'Second', 'Third'].map((title, at) => ({ const: `value${at + 1}`, title }))

const forms: Record<string, Form> = {
  test_elicitation_sep1034_defaults: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
}

function addSimpleRounds(server: McpServer): void {
  server.registerTool(
    'test_input_required_result_elicitation',
    { description: 'Asks for a name and greets' },
    ({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, 'user_name', name)
      if (given === undefined) return inputRequired({ inputRequests: { user_name: askName } })
      return toText(`Hello, ${given.name}!`)
    },
  )
  const questions: Record<string, InputRequests> = {
    test_input_required_result_sampling: {
      capital_question: askModel('What is the capital of France?'),
    },
    test_input_required_result_list_roots: { client_roots: inputRequired.listRoots() },
    test_streaming_elicitation: { user_name: askName },
  }
  for (const [tool, inputRequests] of Object.entries(questions))
    server.registerTool(tool, { description: 'Asks one question' }, ({ mcpReq }) =>
      askOnce(mcpReq, inputRequests, (given) => JSON.stringify(given)),
    )
}

function addStatefulRounds(server: McpServer, state: StateCodec): void {
  const rounds: Record<string, InputRequests[]> = {
    test_input_required_result_request_state: [{ confirm: askOk }],
    test_input_required_result_tampered_state: [{ confirm: askOk }],
    test_input_required_result_multiple_inputs: [
      {
        user_name: askName,
        greeting: askModel('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
    ],
    test_input_required_result_multi_round: [
      {
        step1: inputRequired.elicit({
          message: 'Step 1: What is your name?',
          requestedSchema: name,
        }),
      },
      {
        step2: inputRequired.elicit({
          message: 'Step 2: What is your favorite color?',
          requestedSchema: color,
        }),
      },
    ],
  }
  for (const [tool, steps] of Object.entries(rounds))
    server.registerTool(
      tool,
      { description: 'Asks, remembering the round' },
      async ({ mcpReq }) => {
        const round = mcpReq.requestState<{ round: number }>()?.round ?? 0
        const inputRequests = steps[round]
        if (inputRequests === undefined) return toText('state-ok')
        return inputRequired({
          inputRequests,
          requestState: await state.mint({ round: round + 1 }),
        })
      },
    )
}

const declared = z
  .object({ [CLIENT_CAPABILITIES_META_KEY]: z.record(z.string(), z.unknown()).optional() })
  .optional()

function addCapabilityTools(server: McpServer): void {
  server.registerTool(
    'test_missing_capability',
    { description: 'Cannot do without a model' },
    ({ mcpReq }) => askOnce(mcpReq, { answer: askModel('Hello') }, () => 'Answered'),
  )
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks only what the client can answer' },
    ({ mcpReq }) => {
      const can = declared.parse(mcpReq.envelope)?.[CLIENT_CAPABILITIES_META_KEY] ?? {}
      const inputRequests: InputRequests = {
        ...('sampling' in can && { greeting: askModel('Generate a greeting') }),
        ...('elicitation' in can && { user_name: askName }),
        ...('roots' in can && { client_roots: inputRequired.listRoots() }),
      }
      if (Object.keys(inputRequests).length === 0) return toText('Nothing to ask')
      return askOnce(mcpReq, inputRequests, () => 'Thank you')
    },
  )
}
