/**
 * What is wrong with the parameters of a deployment, found before anything is packaged. What the
 * functions read is judged by the code that they read it with.
 */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { ConfigError } from '../lib/errors.ts';
import { loadConfig } from '../lib/runtime/config.ts';

/** A number, a text, a switch, or tags; nothing is like not given. */
type Value = string | number | boolean | object | null | undefined;
type Values = Readonly<Record<string, Value>>;

/** Parameters as they are given: to the stage in serverless.yml, in its file, on the command line. */
export interface Deployment {
  readonly given: Values;
  readonly region: string;
}

/** The part of `serverless.yml` that says what a parameter is and which function reads it. */
interface Service {
  readonly params: { readonly default: Values };
  readonly provider: { readonly environment: Readonly<Record<string, unknown>> };
}

const service: Service = parse(
  readFileSync(join(resolve(import.meta.dirname, '..'), 'serverless.yml'), 'utf8'),
);
const declared = service.params.default;

/** Says what is wrong with a value; `all` holds the others. */
type Rule = (value: string, all: Values, region: string) => string | undefined;

const oneOf =
  (...values: readonly string[]): Rule =>
  (value) =>
    values.includes(value)
      ? undefined
      : `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;

/** Passes what is not given, too. */
const form =
  (pattern: RegExp, wanted: string): Rule =>
  (value) =>
    value === '' || pattern.test(value) ? undefined : `must be ${wanted}`;

/** An ARN of this service in the region of the deployment, or nothing. */
const arnOf =
  (awsService: string, resource: RegExp, wanted: string): Rule =>
  (value, _, region) => {
    const [arn, partition, name, itsRegion, account, ...rest] = value.split(':');
    if (value === '') {
      return undefined;
    }
    const isOne =
      arn === 'arn' &&
      partition === (region.startsWith('cn-') ? 'aws-cn' : 'aws') &&
      name === awsService &&
      /^\d{12}$/.test(account ?? '') &&
      resource.test(rest.join(':'));
    if (itsRegion !== region && /^[a-z]{2}(-[a-z]+)+-\d$/.test(itsRegion ?? '')) {
      return `is in ${itsRegion} and the deployment in ${region}: take one of that region`;
    }
    return isOne ? undefined : `must be the ARN of ${wanted} in ${region}`;
  };

const wholeDays =
  (min: number, max: number): Rule =>
  (value) =>
    /^\d{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : `must be whole days from ${min} to ${max}`;

/** What CloudWatch Logs keeps for: it takes no other numbers. */
const RETENTION_DAYS =
  '1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653'.split(' ');

const HOST = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/i;
const SECRET = /^secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;

const secretArn = arnOf('secretsmanager', SECRET, 'a secret, with the six characters at its end,');

const RULES: Readonly<Record<string, Rule>> = {
  region: (value, _, region) =>
    value === '' || value === region
      ? undefined
      : `is ${value}, and the deployment would go to ${region}: leave out --region, or say the same`,
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
  architecture: oneOf('arm64', 'x86_64'),
  logRetentionDays: oneOf(...RETENTION_DAYS),
  eventArchiveDays: wholeDays(0, 3650),
  notificationRetentionDays: wholeDays(1, 3650),
  reconcileWorkers: oneOf('1', '2', '4'),
  reconcileMemory: form(/^\d{3,5}$/, 'a number of MB'),
  notifyReservedConcurrency: form(/^\d{1,6}$/, 'a whole number'),
  alarmEmail: form(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an address of mail'),
  domainName: (value, all) =>
    form(HOST, 'the name of a host, without https:// and without a path')(value, all, '') ??
    (value !== '' && !all['certificateArn'] ? 'needs certificateArn as well' : undefined),
  certificateArn: (value, all, region) =>
    arnOf('acm', /^certificate\/[0-9a-f-]{36}$/, 'a certificate of ACM')(value, all, region) ??
    (value !== '' && !all['domainName'] ? 'needs domainName as well' : undefined),
  kmsKeyArn: arnOf('kms', /^key\/[\w-]{36,}$/, 'a key of KMS (no alias)'),
  miniProgramSecretArn: (value, all, region) =>
    secretArn(value, all, region) ?? together(value, all['merchantSecretArn'], 'merchantSecretArn'),
  merchantSecretArn: (value, all, region) =>
    secretArn(value, all, region) ??
    together(value, all['miniProgramSecretArn'], 'miniProgramSecretArn'),
};

function together(value: string, other: Value, name: string): string | undefined {
  return value !== '' && !other ? `needs ${name} as well` : undefined;
}

/** What the kind of a default demands of a value. */
function kindFault(name: string, value: Value): string | undefined {
  const fallback = declared[name];
  const isText = typeof value === 'string' || typeof value === 'number' || value === true;
  switch (typeof fallback) {
    case 'number':
      return /^\d{1,9}(\.\d{1,3})?$/.test(textOf(value)) ? undefined : 'must be a number';
    case 'boolean':
      return oneOf('true', 'false')(textOf(value), {}, '');
    case 'object':
      return fallback === null || isTags(value)
        ? undefined
        : 'must be a map of names and texts, in the file of the stage';
    default:
      return isText ? undefined : 'must be a text';
  }
}

const isTags = (value: Value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(
    ([key, tag]) =>
      /^(?!aws:)[\p{L}\p{N} _.:/=+@-]{1,128}$/iu.test(key) &&
      typeof tag === 'string' &&
      /^[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(tag),
  );

/** Everything that is wrong with the parameters of a deployment, one sentence each. */
export function findProblems({ given, region }: Deployment): string[] {
  const names = Object.keys(given);
  const unknown = names.filter((name) => !Object.hasOwn(declared, name));
  const known = names.filter((name) => Object.hasOwn(declared, name) && given[name] != null);
  const values = { ...declared, ...Object.fromEntries(known.map((name) => [name, given[name]])) };
  const faults = new Map<string, string>();
  for (const name of known) {
    const fault =
      kindFault(name, given[name]) ?? RULES[name]?.(textOf(given[name]), values, region);
    if (fault !== undefined) {
      faults.set(name, fault);
    }
  }
  for (const [name, fault] of readersFaults(values)) {
    faults.set(name, faults.get(name) ?? fault);
  }
  return [
    ...unknown.map((name) => `There is no parameter "${name}".`),
    ...[...faults].map(([name, fault]) => `The parameter ${name} ${fault}.`),
    ...(unknown.length > 0 ? [`There are ${Object.keys(declared).join(', ')}.`] : []),
  ];
}

/** The variable of the functions that a parameter becomes, by the variable's name. */
const PARAMETER_OF = new Map(
  Object.entries(service.provider.environment).flatMap(([variable, value]) => {
    const [, parameter] = /^\$\{param:(\w+)\}$/.exec(String(value)) ?? [];
    return parameter === undefined ? [] : [[variable, parameter] as const];
  }),
);
PARAMETER_OF.set('PUBLIC_BASE_URL', 'publicBaseUrl');

const textOf = (value: Value) => (typeof value === 'object' ? '' : String(value ?? ''));

/** What the functions would refuse at their start. Their reader stops at the first fault. */
function readersFaults(values: Values): [parameter: string, fault: string][] {
  const environment: Record<string, string> = {
    STAGE: 'deployed',
    TABLE_NAME: 'table',
    MINI_PROGRAM_SECRET_ID: 'mini-program',
    MERCHANT_SECRET_ID: 'merchant',
  };
  for (const [variable, parameter] of PARAMETER_OF) {
    environment[variable] = textOf(values[parameter]);
  }
  environment['PUBLIC_BASE_URL'] ||= 'https://pay.example.com';
  const faults: [string, string][] = [];
  for (;;) {
    const fault = refusalOf(environment);
    if (fault === undefined) {
      return faults;
    }
    const [variable, sentence] = fault;
    faults.push([PARAMETER_OF.get(variable) ?? variable, sentence]);
    environment[variable] = variable === 'PUBLIC_BASE_URL' ? 'https://pay.example.com' : '';
  }
}

/** The variable that is refused, and why. */
function refusalOf(environment: Record<string, string>): [string, string] | undefined {
  try {
    loadConfig(environment);
    return undefined;
  } catch (error) {
    const message = error instanceof ConfigError ? error.message : '';
    const [, variable = '', sentence = ''] = /^([A-Z][A-Z0-9_]+) (.*)$/.exec(message) ?? [];
    if (!environment[variable]) {
      throw error;
    }
    return [variable, sentence];
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(findProblems(JSON.parse(await text(process.stdin)))));
}
