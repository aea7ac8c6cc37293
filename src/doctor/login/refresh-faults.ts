/** What is wrong with refreshes. */
import type { Finding } from '../finding.ts'
import type { LoginVisit, Refreshes } from './login-visit.ts'
import { describeAnswer, hasToken, isSuccess } from './read-answers.ts'

const graceFix =
  'Let the token before the newest one work for two minutes more and answer with the same successor, instead of ending the grant.'

/** Faults of refreshing; what follows from another one is not told again. */
export function findRefreshFaults({ refreshes, use }: LoginVisit): Finding[] {
  if (refreshes === undefined) return []
  const { pair, followUp } = refreshes
  const succeeded = pair.filter(hasToken).length
  if (succeeded === 0) return [toRefused(refreshes)]
  const isAlive = followUp === undefined || hasToken(followUp)
  if (!isAlive)
    return [refreshes.bringsSuccessor ? toEndedFamily(refreshes, succeeded) : toLost(refreshes)]
  return [
    ...(succeeded === 1 ? [toRefusedSecond(refreshes)] : []),
    ...(refreshes.isSameSuccessor === false ? [toTwoSuccessors(refreshes)] : []),
    ...(isSuccess(use?.opening) ? findUse(refreshes) : []),
  ]
}

function toRefused({ pair }: Refreshes): Finding {
  return {
    id: 'refresh-refused',
    severity: 'fault',
    title: 'The fresh refresh token is refused',
    seen: `Two refreshes were answered ${pair.map(describeAnswer).join(' and ')}.`,
    why: 'When the access token ends, the user must connect again: ChatGPT shows “Reconnect”.',
    fix: 'Accept grant_type=refresh_token with client_id in the form and, for a public client, no other authentication; ignore parameters such as resource that say what is known.',
    evidence: [...pair],
    breaks: ['refresh-token-given'],
  }
}

function toEndedFamily({ pair, followUp }: Refreshes, succeeded: number): Finding {
  return {
    id: 'refresh-in-parallel-ends-grant',
    severity: 'fault',
    title: 'Two refreshes at once log the client out',
    seen: `Of two refreshes with one token ${succeeded === 2 ? 'both' : 'one'} succeeded; afterwards the newest refresh token was answered ${followUp ? describeAnswer(followUp) : 'nothing'}.`,
    why: 'Clients with several requests under way refresh several times at once. The server takes the second one for a theft and ends everything: “mcp_unauthorized_after_token_refresh”.',
    fix: graceFix,
    gatehouse: 'refresh.graceSeconds',
    evidence: [...pair, ...(followUp ? [followUp] : [])],
    breaks: ['refresh-in-parallel'],
  }
}

function toLost({ pair, followUp }: Refreshes): Finding {
  return {
    id: 'refresh-token-lost',
    severity: 'fault',
    title: 'A refresh brings no new refresh token, and the old one is dead',
    seen: `The refresh succeeded without refresh_token; the old one was then answered ${followUp ? describeAnswer(followUp) : 'nothing'}.`,
    why: 'Without a new one a client keeps the old one (RFC 6749 §6). It can refresh once, and never again.',
    fix: 'Either answer every refresh with a refresh_token, or let the old one live on.',
    evidence: [...pair, ...(followUp ? [followUp] : [])],
    breaks: ['refresh-token-given'],
  }
}

function toRefusedSecond({ pair }: Refreshes): Finding {
  const refused = pair.find((one) => !hasToken(one))
  return {
    id: 'refresh-in-parallel-refused',
    severity: 'risk',
    title: 'Of two refreshes at once one is refused',
    seen: `The second refresh with the same token was answered ${refused ? describeAnswer(refused) : 'nothing'}; the grant lives on.`,
    why: 'A client whose request lost the race may throw its tokens away although the other one has new ones.',
    fix: graceFix,
    gatehouse: 'refresh.graceSeconds',
    evidence: [...pair],
    breaks: ['refresh-in-parallel'],
  }
}

function toTwoSuccessors({ pair }: Refreshes): Finding {
  return {
    id: 'refresh-two-successors',
    severity: 'note',
    title: 'Two refreshes at once bring two different refresh tokens',
    seen: 'Both refreshes succeeded, each with a refresh token of its own, and both live.',
    why: 'Clients can work with that. A stolen token is harder to notice, since two lines go on side by side.',
    fix: 'Nothing must change. To notice theft, answer the second refresh with the successor that the first one got.',
    evidence: [...pair],
    breaks: [],
  }
}

function findUse({ use }: Refreshes): Finding[] {
  if (use === undefined || isSuccess(use) || use.response?.status !== 401) return []
  return [
    {
      id: 'refreshed-token-refused',
      severity: 'fault',
      title: 'The MCP server refuses the token that a refresh brought',
      seen: 'The first request with the new access token was answered 401.',
      why: 'The connector works until the first access token ends, and then never again.',
      fix: 'Write the same issuer and audience into refreshed tokens as into first ones; take the audience from the grant when the refresh has no resource.',
      evidence: [use],
      breaks: ['fresh-token-accepted'],
    },
  ]
}
