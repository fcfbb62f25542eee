/** The surroundings of a program on this machine. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { createHttpClient } from './http-client.ts';
import type { StartTimer, Surroundings } from './surroundings.ts';

const startTimer: StartTimer = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

export const machine: Surroundings = {
  nowMs: () => Date.now(),
  // From the epoch on, so that fractions of a millisecond are comparable with other processes.
  monotonicMs: () => performance.timeOrigin + performance.now(),
  randomBytes: (size) => randomBytes(size),
  startTimer,
  createRsaKeyPair: async () =>
    promisify(generateKeyPair)('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }),
  openHttpClient: () => createHttpClient(startTimer),
};
