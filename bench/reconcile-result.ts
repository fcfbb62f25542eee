/** What `npm run bench -- reconcile` found out, and what it means for Lambda. */
import { cpus } from 'node:os';
import type { ApiVersion } from '../lib/order/parties.ts';

/** Lambda gives a processor for so many MB, and less of one for less. */
const MEMORY_OF_A_PROCESSOR = 1_769;
const MEMORIES = [512, 1_024, 1_769] as const;
/** For so long of its minute a run begins checks. */
const BEGINS_FOR_MS = 42_000;

/** What one run cost. */
export interface Cost {
  readonly cpuMsPerCheck: number;
  readonly checksPerSecond: number;
}

/** What was measured of one version of WeChat's API with one mixture; medians of the warm runs. */
export interface Result extends Cost {
  readonly apiVersion: ApiVersion;
  readonly mixture: string;
  readonly firstRun: Cost;
  readonly initCpuMs: number;
  /** Checks that a processor's share has time for in a minute, by memory. */
  readonly perMinute: Readonly<Record<string, number>>;
}

/** The run in the middle; of two the dearer. */
export function medianOf(costs: readonly Cost[]): Cost {
  const sorted = costs.toSorted((a, b) => a.cpuMsPerCheck - b.cpuMsPerCheck);
  return sorted[Math.floor(sorted.length / 2)] ?? missing();
}

/**
 * How many checks fit into the time of a run at a memory's share of a processor, for each memory in MB:
 * as many as the processor allows, whatever else sets a limit before.
 */
export const carriedPerMinute = ({ cpuMsPerCheck }: Cost): Result['perMinute'] =>
  Object.fromEntries(
    MEMORIES.map((memory) => [
      memory,
      Math.floor((BEGINS_FOR_MS * memory) / MEMORY_OF_A_PROCESSOR / cpuMsPerCheck),
    ]),
  );

function missing(): never {
  throw new Error('nothing was measured');
}

/** A table to read, and the same as one line of JSON. */
export function printResults(
  results: readonly Result[],
  settings: { readonly orders: number; readonly latencyMs: number },
): void {
  const base = results[0]?.cpuMsPerCheck ?? missing();
  console.table(
    results.map(({ apiVersion, mixture, firstRun, ...result }) => ({
      API: apiVersion,
      orders: mixture,
      'processor ms/check': Number(result.cpuMsPerCheck.toFixed(2)),
      ratio: Number((result.cpuMsPerCheck / base).toFixed(2)),
      'first run': Number(firstRun.cpuMsPerCheck.toFixed(2)),
      'checks/s': Math.round(result.checksPerSecond),
      ...Object.fromEntries(MEMORIES.map((mb) => [`a minute, ${mb} MB`, result.perMinute[mb]])),
    })),
  );
  const processor = `${process.arch}, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
  console.log(JSON.stringify({ processor, ...settings, results }));
}
