/** Flags of `npm start` and `npm run demo`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

export type ApiVersion = 'v2' | 'v3';

/**
 * The flags of this process.
 *
 * @throws {Error} naming what is wrong and the flags that there are.
 */
export function readFlags(names: readonly ('fresh' | 'help')[]): {
  readonly fresh?: boolean;
  readonly help?: boolean;
  readonly api?: ApiVersion;
} {
  const options: ParseArgsConfig['options'] = { api: { type: 'string' } };
  for (const name of names) options[name] = { type: 'boolean' };
  const known = ['--api v2|v3', ...names.map((name) => `--${name}`)].join(', ');
  const { api, ...flags } = parse(options, known) as {
    api?: string;
    fresh?: boolean;
    help?: boolean;
  };
  if (api === undefined) return flags;
  if (api !== 'v2' && api !== 'v3') throw new Error(`--api takes v2 or v3. There are ${known}.`);
  return { ...flags, api };
}

function parse(options: ParseArgsConfig['options'], known: string) {
  try {
    return parseArgs({ options: options ?? {} }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Error(`${reason}. There are ${known}.`, { cause: error });
  }
}
