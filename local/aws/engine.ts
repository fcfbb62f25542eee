/** Where the DynamoDB engine `dynoxide` is: one npm package per platform, with the program in it. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { setVariable } from '../shell.ts';

/** Every package that upstream publishes, by `<platform>-<architecture>` as Node names them. */
export const ENGINE_PACKAGES: ReadonlyMap<string, string> = new Map([
  ['darwin-arm64', '@dynoxide/darwin-arm64'],
  ['darwin-x64', '@dynoxide/darwin-x64'],
  ['linux-arm64', '@dynoxide/linux-arm64'],
  ['linux-x64', '@dynoxide/linux-x64'],
  ['win32-x64', '@dynoxide/win32-x64'],
]);

const explainOwn = () => `run a DynamoDB yourself, e.g.
  docker run -p 8000:8000 amazon/dynamodb-local
and name it: ${setVariable('DYNAMODB_ENDPOINT', "'http://127.0.0.1:8000'")}`;

export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Finds a file of an installed package; throws when it is not installed. */
  readonly resolve: (specifier: string) => string;
}

/**
 * The engine's program for this machine. Nothing is fetched: `npm ci` has put it there.
 *
 * @throws {Error} saying what to do where there is none.
 */
export function findEngine(machine: Machine = describeMachine()): string {
  const name = `${machine.platform}-${machine.arch}`;
  const engine = ENGINE_PACKAGES.get(name);
  if (engine === undefined) {
    const served = [...ENGINE_PACKAGES.keys()].join(', ');
    throw new Error(
      `there is no DynamoDB engine for ${name} (there is for ${served}): ${explainOwn()}`,
    );
  }
  try {
    const manifest = machine.resolve(`${engine}/package.json`);
    const program = machine.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide';
    return path.join(path.dirname(manifest), program);
  } catch {
    throw new Error(
      `the DynamoDB engine ${engine} is not installed: run npm ci again (npm goes on without a word when its download fails, and leaves it out with --omit=optional), or ${explainOwn()}`,
    );
  }
}

function describeMachine(): Machine {
  const { resolve } = createRequire(import.meta.url);
  return { platform: process.platform, arch: process.arch, resolve };
}
