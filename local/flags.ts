/** Flags of `npm start` and `npm run demo`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { ApiVersion } from '../lib/order/parties.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The flags of this process, also those that npm took for its own (`npm start --fresh`, without
 * `--`).
 *
 * @throws {Error} naming what is wrong and the flags that there are.
 */
export function readFlags(
  names: readonly ('fresh' | 'help')[],
  args: readonly string[] = process.argv.slice(2),
  environment: Environment = process.env,
): {
  readonly fresh?: boolean;
  readonly help?: boolean;
  readonly api?: ApiVersion;
} {
  const options: ParseArgsConfig['options'] = { api: { type: 'string' } };
  for (const name of names) {
    options[name] = { type: 'boolean' };
  }
  const known = ['--api v2|v3', ...names.map((name) => `--${name}`)].join(', ');
  const given = withNpmFlags(args, names, environment);
  const { api, ...flags } = parse(options, given, known) as {
    api?: string;
    fresh?: boolean;
    help?: boolean;
  };
  if (api === undefined) {
    return flags;
  }
  if (api !== 'v2' && api !== 'v3') {
    throw new Error(`--api takes v2 or v3. There are ${known}.`);
  }
  return { ...flags, api };
}

/**
 * npm keeps a flag for itself and says so in the environment. It takes an unknown `--api v3` for a
 * switch, and passes `v3` on by itself.
 */
function withNpmFlags(
  args: readonly string[],
  names: readonly string[],
  environment: Environment,
): string[] {
  const fresh =
    names.includes('fresh') && environment['npm_config_fresh'] === 'true' ? ['--fresh'] : [];
  const api = environment['npm_config_api'];
  if (!api) {
    return [...fresh, ...args];
  }
  if (api !== 'true') {
    return [...fresh, `--api=${api}`, ...args];
  }
  return [...fresh, '--api', ...args];
}

function parse(options: ParseArgsConfig['options'], args: string[], known: string) {
  try {
    return parseArgs({ args, options: options ?? {} }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Error(`${reason}. There are ${known}.`, { cause: error });
  }
}
