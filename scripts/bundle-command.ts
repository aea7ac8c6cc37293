/**
 * The command line as few files. Node finds, reads and links each module by itself, and `serve` needs more than
 * three hundred of ours: that was a fifth of its start. What is imported by `import()` stays apart, so that a command
 * loads what it needs.
 *
 * The library stays one file in, one file out: its users bundle for themselves.
 */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/**
 * Puts the command line into a build, in place of what was compiled of it.
 *
 * @param checkout where `src/` is
 * @param dist folder of the build
 */
export async function bundleCommand(checkout: string, dist: string): Promise<void> {
  const bundle = await rolldown({
    input: {
      main: join(checkout, 'src/cli/main.ts'),
      // Started by its address, which `storage/sqlite-thread.ts` takes to be beside itself.
      'sqlite-worker': join(checkout, 'src/storage/sqlite-worker.ts'),
    },
    external: (name) => !name.startsWith('.') && !name.startsWith('/'),
    platform: 'node',
  })
  const [folder, made] = [join(dist, 'cli'), join(dist, 'cli.new')]
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' }
  await bundle.write({ dir: made, format: 'esm', sourcemap: true, ...names })
  await bundle.close()
  rmSync(folder, { recursive: true })
  renameSync(made, folder)
}
