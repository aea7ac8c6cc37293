/** How the tests run. Timeouts are generous: CI has two busy cores. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/cheap-passwords.ts'],
    // Many tests wait for processes and disks; by default vitest would leave one of two cores idle.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
