/** How the tests run: one process pool for all of them, so that races and clocks stay their own. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
  },
})
