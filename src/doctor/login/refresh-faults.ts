/** What is wrong with refreshes. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import { loginExplanations } from './explanations.ts'
import type { LoginVisit, Refreshes } from './login-visit.ts'
import { describeAnswer, hasToken, isSuccess } from './read-answers.ts'

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
  return createFinding(loginExplanations, 'refresh-refused', {
    seen: `Two refreshes were answered ${pair.map(describeAnswer).join(' and ')}.`,
    evidence: [...pair],
  })
}

function toEndedFamily({ pair, followUp }: Refreshes, succeeded: number): Finding {
  return createFinding(loginExplanations, 'refresh-in-parallel-ends-grant', {
    seen: `Of two refreshes with one token ${succeeded === 2 ? 'both' : 'one'} succeeded; afterwards the newest refresh token was answered ${followUp ? describeAnswer(followUp) : 'nothing'}.`,
    evidence: [...pair, ...(followUp ? [followUp] : [])],
  })
}

function toLost({ pair, followUp }: Refreshes): Finding {
  return createFinding(loginExplanations, 'refresh-token-lost', {
    seen: `The refresh succeeded without refresh_token; the old one was then answered ${followUp ? describeAnswer(followUp) : 'nothing'}.`,
    evidence: [...pair, ...(followUp ? [followUp] : [])],
  })
}

function toRefusedSecond({ pair }: Refreshes): Finding {
  const refused = pair.find((one) => !hasToken(one))
  return createFinding(loginExplanations, 'refresh-in-parallel-refused', {
    seen: `The second refresh with the same token was answered ${refused ? describeAnswer(refused) : 'nothing'}; the grant lives on.`,
    evidence: [...pair],
  })
}

function toTwoSuccessors({ pair }: Refreshes): Finding {
  return createFinding(loginExplanations, 'refresh-two-successors', {
    seen: 'Both refreshes succeeded, each with a refresh token of its own, and both live.',
    evidence: [...pair],
  })
}

function findUse({ use }: Refreshes): Finding[] {
  if (use === undefined || isSuccess(use) || use.response?.status !== 401) return []
  return [
    createFinding(loginExplanations, 'refreshed-token-refused', {
      seen: 'The first request with the new access token was answered 401.',
      evidence: [use],
    }),
  ]
}
