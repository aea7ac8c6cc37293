/** The guide of the doctor names every finding of logins and installations, and no two things have one name. */
import { expect, it } from 'vitest'
import { checks } from '../../src/doctor/checks.ts'
import { listFiles, readSource } from '../helpers/sources.ts'

const files = ['src/doctor/login', 'src/doctor/self'].flatMap((folder) => listFiles(folder))
const ids = files.flatMap((path) =>
  [...readSource(path).matchAll(/^\s+id: (?:is\w+ \? '([a-z-]+)' : )?'([a-z-]+)',$/gm)].flatMap(
    ([, first, second]) => [first, second].filter((id) => id !== undefined && id !== 'doctor'),
  ),
)

it('names every finding of a login and of an installation', () => {
  expect(ids.length).toBeGreaterThan(50)
  const guide = readSource('docs/guides/doctor.md')
  expect(ids.filter((id) => !guide.includes(`\`${id}\``))).toEqual([])
})

it('has one name for one thing', () => {
  const others = new Set(checks.map(({ id }) => id))
  expect(ids.filter((id, at) => ids.indexOf(id) !== at || others.has(id ?? ''))).toEqual([])
})
