/** What the code has from outside: time, randomness, the network, files, settings. From nowhere else. */
import { randomBytes } from 'node:crypto';
import type { Environment } from './runtime/environment.ts';
import { createLog, type FunctionLog } from './runtime/log.ts';
import { type OpenTemporaryFiles, openTemporaryFiles } from './runtime/temporary-files.ts';
import { openSecretsClient, type SecretsClient } from './secrets/client.ts';
import { type OpenHost, openHost } from './transport/host.ts';

/** Whatever differs between two runs of a function that has no table. */
export interface BareMachine {
  readonly environment: Environment;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A clock that nobody sets, in milliseconds. */
  readonly monotonicMs: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** Runs something once, later; the function in return calls it off. */
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
  readonly openHost: OpenHost;
  readonly openSecretsClient: () => SecretsClient;
  readonly openTemporaryFiles: OpenTemporaryFiles;
  readonly openLog: (functionName: string) => FunctionLog;
}

/** The one that Lambda runs a function on. It knows no table, so that login's bundle has none. */
export const bareMachine: BareMachine = {
  environment: process.env,
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  randomBytes,
  startTimer: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  openHost,
  openSecretsClient,
  openTemporaryFiles,
  openLog: createLog,
};
