/**
 * What a person should know about a client before deciding, in sentences.
 *
 * Few and calm: a warning on every page is a warning on none. Only a name that imitates someone else's
 * is shown as a danger; the rest are things to check (catalogue CR-11, CN-12, CN-21).
 */
import { type Html, html } from '../../platform/html.ts'
import { type ClientView, type RedirectView, toDestination } from './client-label.ts'

/** Who asks, and where the code would go. */
interface Subject {
  readonly client: ClientView
  readonly redirect: RedirectView
  readonly siteName: string
}

function toFacts({ client, redirect, siteName }: Subject): Html[] {
  const facts: (Html | false)[] = [
    redirect.kind === 'loopback' && html`Access goes to a program on this computer.`,
    redirect.kind === 'private-use' &&
      html`Access goes to whichever app on this device answers to <bdi class="code">${redirect.host}</bdi>.`,
    client.name === undefined && html`It did not say what it is called.`,
    !client.vouched &&
      !client.seenBefore &&
      html`Nobody has connected this app to <bdi>${siteName}</bdi> before.`,
  ]
  return facts.filter((fact) => fact !== false)
}

/** A claim and a fact, side by side: the name it gives itself and where the code would go. */
function renderImitation({ client, redirect }: Subject, facts: readonly Html[]): Html {
  const likeness = client.lookAlike ?? ''
  const published =
    client.publishedAt !== undefined &&
    html`is published by <b><bdi>${client.publishedAt}</bdi></b> and `
  return html`<div class="warning danger" role="note">
<h2>This may not be <bdi>${likeness}</bdi></h2>
<ul>
<li>It calls itself “<bdi>${client.name ?? likeness}</bdi>” but ${published}would send you to <b><bdi>${toDestination(redirect)}</bdi></b>.</li>
${facts.map((fact) => html`<li>${fact}</li>`)}
</ul>
<p>Anyone can choose a name. If you did not expect this address, choose Deny.</p>
</div>`
}

/** The warnings about a client in one box; nothing when there are none. */
export function renderWarnings(subject: Subject): Html | undefined {
  const facts = toFacts(subject)
  if (subject.client.lookAlike !== undefined) return renderImitation(subject, facts)
  if (facts.length === 0) return undefined
  return html`<div class="warning" role="note">
<h2>Before you go on</h2>
<ul>${facts.map((fact) => html`<li>${fact}</li>`)}</ul>
<p>Go on only if you just started this yourself.</p>
</div>`
}
