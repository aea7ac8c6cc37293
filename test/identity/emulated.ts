/** The pages of an emulated provider, walked as a person does. */

/** Picks a person on the page and follows its form. Returns where the browser is sent. */
export async function pickPerson(
  authorizationUrl: URL,
  login: string,
  fetchPage: typeof fetch = fetch,
): Promise<URL> {
  const page = await fetchPage(authorizationUrl)
  const forms = (await page.text()).split('<form').slice(1)
  const form = forms.find((text) => text.includes(`>${login}<`)) ?? ''
  const action = form.match(/action="([^"]*)"/)?.[1] ?? ''
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)]
  const answer = await fetchPage(new URL(action, authorizationUrl), {
    method: 'POST',
    body: new URLSearchParams(fields.map(([, name = '', value = '']) => [name, value])),
    redirect: 'manual',
  })
  return new URL(answer.headers.get('location') ?? '')
}
