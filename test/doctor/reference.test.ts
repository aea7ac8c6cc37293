/** The reference explains all that the doctor can find, and no two things have one name. */
import { expect, it } from 'vitest'
import { checks } from '../../src/doctor/checks.ts'
import { loginExplanations } from '../../src/doctor/login/explanations.ts'
import { selfExplanations } from '../../src/doctor/self/explanations.ts'
import { listFiles, readSource } from '../helpers/sources.ts'

const ofTables = [...Object.keys(loginExplanations), ...Object.keys(selfExplanations)]
const ids = [...checks.map(({ id }) => id), ...ofTables]

it('explains every finding of a visit, of a login and of an installation', () => {
  const page = readSource('docs/reference/doctor-findings.md')
  expect(ids.filter((id) => !page.includes(`### \`${id}\``))).toEqual([])
})

it('has one name for one thing', () => {
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
})

it('explains nothing that is never found', () => {
  const files = ['src/doctor/login', 'src/doctor/self'].flatMap((folder) => listFiles(folder))
  const code = files.filter((path) => !path.endsWith('/explanations.ts')).map(readSource)
  expect(ofTables.filter((id) => !code.some((text) => text.includes(`'${id}'`)))).toEqual([])
})
