/** Flags of `npm start` and `npm run demo`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { ApiVersion } from '../lib/order/parties.ts';
import { VERIFICATION_MODES, type VerificationMode } from '../simulator/book/wechat-keys.ts';

type FlagName = 'fresh' | 'help' | 'devtools-buyer' | 'verification';

const HINTS: Readonly<Record<FlagName, string>> = {
  fresh: '--fresh',
  help: '--help',
  'devtools-buyer': '--devtools-buyer NAME',
  verification: `--verification ${VERIFICATION_MODES.join('|')}`,
};
/** Flags with a value, and what one looks like; the first that fits takes it. */
const FORMS: Readonly<Record<string, RegExp>> = {
  api: /^v\d$/,
  verification: new RegExp(`^(${VERIFICATION_MODES.join('|')})$`),
  'devtools-buyer': /^[^-]/,
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
  readonly verification?: VerificationMode;
} {
  const options: ParseArgsConfig['options'] = { api: { type: 'string' } };
  for (const name of names) {
    options[name] = { type: name in FORMS ? 'string' : 'boolean' };
  }
  const known = ['--api v2|v3', ...names.map((name) => HINTS[name])].join(', ');
  const given = withNpmFlags(args, names, environment);
  const { api, verification, ...flags } = parse(options, given, known) as {
    api?: string;
    verification?: string;
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
  if (api !== undefined && api !== 'v2' && api !== 'v3') {
    throw new Error(`--api takes v2 or v3. There are ${known}.`);
  }
  const mode = VERIFICATION_MODES.find((one) => one === verification);
  if (verification !== undefined && mode === undefined) {
    const modes = VERIFICATION_MODES.join(' or ');
    throw new Error(`--verification takes ${modes}. There are ${known}.`);
  }
  return { ...flags, ...(api ? { api } : {}), ...(mode ? { verification: mode } : {}) };
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
  const texts = Object.keys(FORMS).filter(
    (name) => name === 'api' || names.some((one) => one === name),
  );
  const whole = texts.flatMap((name) => {
    const value = keptByNpm(name);
    return value && value !== 'true' ? [`--${name}=${value}`] : [];
  });
  const bare = texts.filter((name) => keptByNpm(name) === 'true');
  const [last] = bare;
  return last === undefined || bare.length > 1
    ? [...fresh, ...whole, ...giveValues(bare, args)]
    : [...fresh, ...whole, `--${last}`, ...args];
}

/** Their order is lost; a value is told by its form, and a buyer's name is what is left. */
function giveValues(bare: readonly string[], args: readonly string[]): string[] {
  const left = [...args];
  const given = bare.flatMap((name) => {
    const at = left.findIndex((arg) => FORMS[name]?.test(arg));
    return [`--${name}`, ...left.splice(at, at < 0 ? 0 : 1)];
  });
  return [...given, ...left];
}

function parse(options: ParseArgsConfig['options'], args: string[], known: string) {
  try {
    return parseArgs({ args, options: options ?? {} }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Error(`${reason}. There are ${known}.`, { cause: error });
  }
}
