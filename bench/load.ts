/** A bounded load on one server, and what it cost there. */
import type { MeasuredServer } from './server-process.ts'

/** One operation in one lane; a lane never has two at once. */
export type Operate = (lane: number) => Promise<void>

/** What one sample measured. */
export interface Sample {
  /** Operations that ended in each second. */
  readonly perSecond: number
  /** CPU time of the server's process for one operation, in microseconds. */
  readonly cpuMicroseconds: number
  /** Share of the time that the server's process was on a core; below 1 it waited for somebody. */
  readonly busy: number
  /** Share of the time that its core was busy with others; 0 where that cannot be told. */
  readonly foreign: number
  /** From first byte sent to last byte read of each operation, in milliseconds. */
  readonly latencies: readonly number[]
}

/** Lanes at once, and for how long new operations begin. */
export interface Load {
  readonly lanes: number
  readonly milliseconds: number
}

/** Runs the load and measures. */
export async function takeSample(
  server: MeasuredServer,
  operate: Operate,
  load: Load,
): Promise<Sample> {
  const before = await server.readCpu()
  const started = performance.now()
  const latencies = await runLoad(operate, load)
  const microseconds = (performance.now() - started) * 1000
  const after = await server.readCpu()
  const own = after.own - before.own
  const core = (after.core ?? own) - (before.core ?? 0)
  return {
    perSecond: (latencies.length / microseconds) * 1e6,
    cpuMicroseconds: own / latencies.length,
    busy: own / microseconds,
    foreign: Math.max(0, (core - own) / microseconds),
    latencies,
  }
}

/** Runs the load; returns the latency of each operation in milliseconds. */
export async function runLoad(
  operate: Operate,
  { lanes, milliseconds }: Load,
): Promise<readonly number[]> {
  const latencies: number[] = []
  const deadline = performance.now() + milliseconds
  const runLane = async (lane: number): Promise<void> => {
    for (let started = performance.now(); started < deadline; ) {
      await operate(lane)
      const ended = performance.now()
      latencies.push(ended - started)
      started = ended
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane)))
  return latencies
}
