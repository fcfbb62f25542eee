/** Which of the two a command works on. */
import { findRunningStack } from '../../local/running-stack.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts/en.ts';
import { openLocalTarget } from './local.ts';
import { openStageTarget } from './stage.ts';
import type { Target } from './target.ts';

export interface TargetOptions {
  readonly local?: true | undefined;
  readonly stage?: string | undefined;
  readonly region?: string | undefined;
}

/** @throws {UsageError} when neither a stage is named nor a stack runs here. */
export async function openTarget(
  { local, stage, region }: TargetOptions,
  { environment }: Pick<Terminal, 'environment'>,
  say: Texts,
): Promise<Target> {
  if (local && stage !== undefined) {
    throw new UsageError(say.twoTargets);
  }
  if (stage !== undefined) {
    return openStageTarget(stage, region, say);
  }
  const stack = await findRunningStack(environment);
  if (!stack) {
    throw new UsageError(local ? say.noLocalStack : say.noTarget);
  }
  return openLocalTarget(stack.apiUrl, say.localStack);
}
