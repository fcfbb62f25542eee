/** What every command has: somebody to speak to, a stage to work on, a question before it writes. */
import type { Command } from 'commander';
import { UsageError } from './errors.ts';
import type { Result } from './output.ts';
import type { Target } from './targets/target.ts';
import type { Terminal } from './terminal.ts';
import type { Texts } from './texts/en.ts';

export interface Context {
  readonly say: Texts;
  readonly terminal: Terminal;
  readonly target: Target;
  /** Nobody wants to be asked. */
  readonly isAgreed: boolean;
}

/** A command's work, with its arguments and its own options. */
export type Work<Args extends readonly string[], Options> = (
  context: Context,
  options: Options,
  ...args: Args
) => Promise<Result>;

/** Hangs work on a command: opens what it works on, prints what it found. */
export type Perform = <Args extends readonly string[], Options extends object>(
  command: Command,
  work: Work<Args, Options>,
) => void;

/**
 * Asks, unless that is not wanted.
 *
 * @throws {UsageError} when the answer is no, or nobody is there to give one.
 */
export async function assertAgreed(
  { say, terminal, isAgreed }: Pick<Context, 'say' | 'terminal' | 'isAgreed'>,
  question: string,
): Promise<void> {
  if (isAgreed) {
    return;
  }
  if (!terminal.ask) {
    throw new UsageError(say.noTerminal);
  }
  if ((await terminal.ask(question)) === 'no') {
    throw new UsageError(say.cancelled);
  }
}
