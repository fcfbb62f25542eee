/** Where the tool is run from: who reads it, and who can be asked. */
import { confirm, isCancel } from '@clack/prompts';
import { Presets, SingleBar } from 'cli-progress';
import type { Environment } from '../lib/runtime/environment.ts';

export interface Terminal {
  readonly environment: Environment;
  /** Takes what a program may read. */
  readonly out: (text: string) => void;
  /** Takes what is for people alone: progress, questions, what is wrong. */
  readonly err: (text: string) => void;
  /** Absent: nobody is there to be asked. */
  readonly ask?: ((question: string) => Promise<'yes' | 'no'>) | undefined;
  readonly startProgress: (unit: string) => Progress;
}

/** How far something has got. */
export interface Progress {
  /** `total` as far as it is known; more may come. */
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

/** What takes less than this shows no bar. */
const QUIET_MS = 1000;

/** The terminal of this process. */
export const processTerminal: Terminal = {
  environment: process.env,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  ask: process.stdin.isTTY && process.stderr.isTTY ? askHere : undefined,
  startProgress: startBar,
};

async function askHere(message: string): Promise<'yes' | 'no'> {
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer ? 'yes' : 'no';
}

/** A bar on the terminal of this process; none where errors do not go to one. */
function startBar(unit: string): Progress {
  const startedAt = performance.now();
  const format = `{bar} {value} / {total} ${unit}, {duration_formatted}`;
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.rect,
  );
  let isShown = false;
  return {
    update(done, total) {
      const atLeast = Math.max(done, total);
      if (!isShown && performance.now() - startedAt > QUIET_MS) {
        isShown = true;
        bar.start(atLeast, done);
      }
      if (isShown) {
        bar.setTotal(atLeast);
        bar.update(done);
      }
    },
    stop: () => {
      if (isShown) {
        bar.stop();
      }
    },
  };
}
