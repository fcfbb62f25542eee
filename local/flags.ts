/** Flags of `npm start` and `npm run demo`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { ApiVersion } from '../lib/order/parties.ts';

type FlagName = 'fresh' | 'help' | 'devtools-buyer';

const HINTS: Readonly<Record<FlagName, string>> = {
  fresh: '--fresh',
  help: '--help',
  'devtools-buyer': '--devtools-buyer NAME',
};
/** Of a user of the simulator. */
const MAX_NAME_LENGTH = 64;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The flags of this process, also those that npm took for its own (`npm start --fresh`, without
 * `--`).
 *
 * @throws {Error} naming what is wrong and the flags that there are.
 */
export function readFlags(
  names: readonly FlagName[],
  args: readonly string[] = process.argv.slice(2),
  environment: Environment = process.env,
): {
  readonly fresh?: boolean;
  readonly help?: boolean;
  readonly api?: ApiVersion;
  readonly 'devtools-buyer'?: string;
} {
  const options: ParseArgsConfig['options'] = { api: { type: 'string' } };
  for (const name of names) {
    options[name] = { type: name === 'devtools-buyer' ? 'string' : 'boolean' };
  }
  const known = ['--api v2|v3', ...names.map((name) => HINTS[name])].join(', ');
  const given = withNpmFlags(args, names, environment);
  const { api, ...flags } = parse(options, given, known) as {
    api?: string;
    fresh?: boolean;
    help?: boolean;
    'devtools-buyer'?: string;
  };
  const buyer = flags['devtools-buyer'];
  if (buyer !== undefined && (buyer.trim() === '' || buyer.length > MAX_NAME_LENGTH)) {
    throw new Error(
      `--devtools-buyer takes a name of 1 to ${MAX_NAME_LENGTH} characters, such as alice. There are ${known}.`,
    );
  }
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
  names: readonly FlagName[],
  environment: Environment,
): string[] {
  const keptByNpm = (name: string) => environment[`npm_config_${name.replaceAll('-', '_')}`];
  const fresh = names.includes('fresh') && keptByNpm('fresh') === 'true' ? ['--fresh'] : [];
  const texts = ['api', 'devtools-buyer'].filter(
    (name) => name === 'api' || names.includes('devtools-buyer'),
  );
  const whole = texts.flatMap((name) => {
    const value = keptByNpm(name);
    return value && value !== 'true' ? [`--${name}=${value}`] : [];
  });
  const bare = texts.filter((name) => keptByNpm(name) === 'true').map((name) => `--${name}`);
  const [first = '', ...rest] = args;
  if (bare.length < 2) {
    return [...fresh, ...whole, ...bare, ...args];
  }
  // Their order is lost; only one of the two values can be an API.
  const [one = '', other = ''] = /^v\d$/.test(first) ? bare : bare.toReversed();
  return [...fresh, one, first, other, ...rest];
}

function parse(options: ParseArgsConfig['options'], args: string[], known: string) {
  try {
    return parseArgs({ args, options: options ?? {} }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Error(`${reason}. There are ${known}.`, { cause: error });
  }
}
