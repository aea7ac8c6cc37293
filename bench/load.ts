/** A bounded load on one server, and what it cost there. */
import type { MeasuredServer } from './server-process.ts'

/** One operation in one lane; a lane never has two at once. */
export type Operate = (lane: number) => Promise<void>

/** How much load one sample is. */
export interface Load {
  /** Operations in flight at most. */
  readonly concurrency: number
  /** Operations altogether. */
  readonly count: number
}

/** What one sample measured. */
export interface Sample {
  /** CPU time of the server's process for one operation, in microseconds. */
  readonly cpuMicroseconds: number
  /** From first byte sent to last byte read of each operation, in milliseconds. */
  readonly latencies: readonly number[]
}

/** Runs the load and measures. */
export async function takeSample(
  server: MeasuredServer,
  operate: Operate,
  load: Load,
): Promise<Sample> {
  const before = await server.readCpu()
  const latencies = await runLoad(operate, load)
  const after = await server.readCpu()
  return { cpuMicroseconds: (after - before) / latencies.length, latencies }
}

/** Runs the load; returns the latency of each operation in milliseconds. */
export async function runLoad(
  operate: Operate,
  { concurrency, count }: Load,
): Promise<readonly number[]> {
  const latencies: number[] = []
  let begun = 0
  const runLane = async (lane: number): Promise<void> => {
    while (begun < count) {
      begun += 1
      const started = performance.now()
      await operate(lane)
      latencies.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, lane) => runLane(lane)))
  return latencies
}
