/** How the tests run. Timeouts are generous: CI has two busy cores. */
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The order of the files, but that the real clients come first: in CI they begin with a minute of installing. */
class ClientsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const areClients = ({ moduleId }: TestSpecification) => moduleId.includes('/real-clients/')
    const sorted = await super.sort(files)
    return [...sorted.filter(areClients), ...sorted.filter((file) => !areClients(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/cheap-passwords.ts'],
    // Many tests wait for processes and disks; by default vitest would leave one of two cores idle.
    maxWorkers: 2,
    sequence: { sequencer: ClientsFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
