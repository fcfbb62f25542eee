/** Finds a stack that runs on this machine, by what it left in its data directory or by its port. */
import path from 'node:path';
import type { Environment } from '../lib/runtime/environment.ts';
import type { DemoTarget } from './demo-payment.ts';
import { readJsonFile } from './json-file.ts';
import { readApiPort, readDataDir } from './settings.ts';

const STATUS_TIMEOUT_MS = 2000;

/**
 * The stack at `PORT`, if that is set, else the one of the data directory, on whatever port it is,
 * else the one at port 3000; undefined when none of them answers.
 *
 * @throws {Error} when `PORT` is no port that can be called.
 */
export async function findRunningStack(environment: Environment): Promise<DemoTarget | undefined> {
  const port = readApiPort(environment);
  const byPort = `http://127.0.0.1:${port}`;
  const byFile = readApiUrl(path.join(readDataDir(environment), 'merchant.json'));
  const isChosen = Boolean(environment['PORT']?.trim());
  const candidates = isChosen ? [byPort, byFile] : [byFile, byPort];
  for (const apiUrl of new Set(candidates)) {
    const found = apiUrl ? await askStatus(apiUrl) : undefined;
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

/** A file that is absent or broken says only that no stack can be found by it. */
function readApiUrl(merchantFile: string): string | undefined {
  try {
    const { apiUrl } = readJsonFile(merchantFile) as { apiUrl?: unknown };
    return typeof apiUrl === 'string' ? apiUrl : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when nothing answers there, or something that is no stack of this project. */
async function askStatus(apiUrl: string): Promise<DemoTarget | undefined> {
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const answer = await fetch(`${apiUrl}/_local/status`, { signal });
    const { simulatorUrl, appid, dataDir } = (await answer.json()) as Partial<DemoTarget>;
    if (!answer.ok || simulatorUrl === undefined || appid === undefined) {
      return undefined;
    }
    return { apiUrl, simulatorUrl, appid, ...(dataDir === undefined ? {} : { dataDir }) };
  } catch {
    return undefined;
  }
}
