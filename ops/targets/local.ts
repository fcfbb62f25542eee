/** The stack that runs on this machine, by what it says of itself. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openTableClient } from '../../lib/table/client.ts';
import { type Addresses, nameResources, setEnvironment } from '../../local/aws/environment.ts';
import type { FailedBatch as Line } from '../../local/aws/event-source/failed-records.ts';
import type { ClockReading } from '../../local/clock/stack-clock.ts';
import type { FailedBatches } from './failed-batches.ts';
import type { Target } from './target.ts';

const FAILED_RECORDS = 'failed-records.jsonl';

type Status = Addresses &
  ClockReading & { readonly service: string; readonly tableName: string; readonly dataDir: string };

/** From now on this process has the environment of its functions, until `close()`. */
export async function openLocalTarget(apiUrl: string, name: string): Promise<Target> {
  const answer = await fetch(`${apiUrl}/_local/status`);
  const status = (await answer.json()) as Status;
  const { service, tableName, dataDir, offsetSeconds } = status;
  const restore = setEnvironment(service, nameResources(service), status, undefined);
  const client = openTableClient();
  return {
    name,
    apiUrl,
    environment: process.env,
    table: { client, tableName },
    failedBatches: failedBatchesIn(path.join(dataDir, FAILED_RECORDS)),
    invoke: (functionName, event) => invokeLocally(apiUrl, functionName, event),
    nowMs: () => Date.now() + offsetSeconds * 1000,
    close: () => {
      client.destroy();
      restore();
    },
  };
}

async function invokeLocally(apiUrl: string, functionName: string, event: object) {
  const body = JSON.stringify(event);
  const answer = await fetch(`${apiUrl}/_local/invoke/${functionName}`, { method: 'POST', body });
  const content = (await answer.json()) as { readonly errorMessage?: string };
  if (!answer.ok) {
    throw new Error(content.errorMessage ?? `${functionName} failed`);
  }
  return content;
}

/** One batch a line. */
function failedBatchesIn(file: string): FailedBatches {
  const linesOf = () =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
  return {
    list: async () => linesOf().map((_, index) => `${file}:${index + 1}`),
    read: async (name) => {
      const line = linesOf()[Number(name.slice(file.length + 1)) - 1] ?? '';
      return parseLine(line)?.records;
    },
  };
}

/** Nothing for a line that was cut off when the stack was killed. */
function parseLine(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}
