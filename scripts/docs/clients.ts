/** The table of clients and how far each was seen to come, from `test/clients/`. */
import {
  type ClientProfile,
  type Requirement,
  type Revision,
  requirements,
} from '../../src/profiles/profile.ts'
import { profiles } from '../../src/profiles/registry.ts'
import {
  type Proof,
  type ProvenStep,
  provenSteps,
  readResults,
} from '../../test/clients/results.ts'
import { requirementWords } from './client-words.ts'

const results = { real: readResults('real'), emulated: readResults('emulated') }

function findProof(id: string, revision: Revision, step: ProvenStep): Proof | '-' {
  const proofs: readonly Proof[] = ['real', 'emulated']
  const isSeen = (proof: Proof) => results[proof][id]?.[revision]?.split(' ').includes(step)
  return proofs.find(isSeen) ?? '-'
}

function renderRow(profile: ClientProfile, revision: Revision): string {
  const cells = provenSteps.map((step) => findProof(profile.id, revision, step))
  const link = `[${profile.name}](../guides/clients.md#${profile.id})`
  return `| ${link} | ${revision} | ${cells.join(' | ')} |`
}

function toMarkedId({ id, engine }: ClientProfile): string {
  return engine === 'specification' ? `${id}*` : id
}

/** Which clients a server loses that lacks one thing. */
function renderRequirement(name: Requirement): string {
  const asking = profiles.filter(({ requires }) => requires.includes(name))
  const ids = asking.length === profiles.length ? 'all' : asking.map(toMarkedId).join(', ')
  return `| ${requirementWords[name]} | ${requirements[name]} | ${ids || '-'} |`
}

/** `docs/reference/clients.md`. */
export function renderClients(): string {
  const rows = profiles.flatMap((profile) =>
    profile.revisions.map((revision) => renderRow(profile, revision)),
  )
  const real = profiles.filter(({ id }) => id in results.real).length
  return `# Clients

Made from \`test/clients/real.json\` and \`test/clients/emulated.json\` by \`npm run docs\`. The tests that wrote
these files hold them to what they see at each run: a step that is claimed and not reached fails, and so does
one that is reached and not claimed.

- \`real\`: the program itself did it against a Gatehouse on loopback (\`test/real-clients/\`).
- \`emulated\`: its profile (\`src/profiles/clients/\`) was played over HTTP (\`test/journeys/client-shapes.test.ts\`).
- \`-\`: neither, because nobody has published what the client does there.

A profile without \`registration\` was played with a client id that the owner typed in. What each client sends,
and the words that its user reads when something is missing, is in [the guide](../guides/clients.md).

${profiles.length} clients, ${real} of them as programs.

| client | MCP revision | ${provenSteps.join(' | ')} |
|---|---|${provenSteps.map(() => '---|').join('')}
${rows.join('\n')}

## What they insist on

A client is lost to a server of which one of these is not true. The step is where it stops. With a star: nobody has
published what that client insists on, so that it is taken for one that does what MCP asks.

| it must be that | step | clients |
|---|---|---|
${(Object.keys(requirements) as Requirement[]).map(renderRequirement).join('\n')}
`
}
