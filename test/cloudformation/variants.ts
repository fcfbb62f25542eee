/** A dozen sets of parameters, and how a service is packaged with one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { packageService, type Template } from '../deploy/cloudformation.ts';

type Settings = Readonly<Record<string, unknown>>;

export interface Variant {
  readonly name: string;
  readonly stage: string;
  readonly region: string;
  readonly settings: Settings;
}

const SINGAPORE = 'ap-southeast-1';
const BEIJING = 'cn-north-1';
const NINGXIA = 'cn-northwest-1';
const ID = '12345678-1234-1234-1234-123456789012';
const ACCOUNT = '000000000000';

/** An ARN of the emulated account, in the partition of the region. */
export const arnOf = (service: string, region: string, resource: string) =>
  `arn:${region.startsWith('cn-') ? 'aws-cn' : 'aws'}:${service}:${region}:${ACCOUNT}:${resource}`;

const domain = (region: string): Settings => ({
  domainName: 'pay.example.com',
  certificateArn: arnOf('acm', region, `certificate/${ID}`),
});
const customerKey = (region: string): Settings => ({
  kmsKeyArn: arnOf('kms', region, `key/${ID}`),
});
const secrets = (region: string): Settings => ({
  miniProgramSecretArn: arnOf('secretsmanager', region, 'secret:shop/mini-program-a1B2c3'),
  merchantSecretArn: arnOf('secretsmanager', region, 'secret:shop/merchant-a1B2c3'),
});

const everything = (region: string): Settings => ({
  ...domain(region),
  ...customerKey(region),
  ...secrets(region),
  apiVersion: 'v3',
  alarmEmail: 'me@example.com',
  notifyReservedConcurrency: 20,
  tags: { team: 'shop' },
  logRetentionDays: 3653,
  logLevel: 'WARN',
  architecture: 'x86_64',
  orderOptions: '{"goodsTag":"A"}',
  orderNumberScope: 'the-first-table',
});

const variant = (name: string, region: string, settings: Settings, stage = 'shop'): Variant => ({
  name,
  region,
  settings,
  stage,
});

export const VARIANTS: readonly Variant[] = [
  variant('the defaults', SINGAPORE, {}),
  variant('production', SINGAPORE, {}, 'production'),
  variant('a domain', SINGAPORE, domain(SINGAPORE)),
  variant('an address in front', SINGAPORE, { publicBaseUrl: 'https://pay.example.com/api' }),
  variant('both', SINGAPORE, { ...domain(SINGAPORE), publicBaseUrl: 'https://a.example.com' }),
  variant('mails of alarms', SINGAPORE, { alarmEmail: 'me@example.com' }),
  variant('reserved concurrency', SINGAPORE, { notifyReservedConcurrency: 5 }),
  variant('a key of the owner', SINGAPORE, customerKey(SINGAPORE)),
  variant('secrets that are there', SINGAPORE, secrets(SINGAPORE)),
  variant('everything', SINGAPORE, everything(SINGAPORE)),
  variant('Beijing', BEIJING, domain(BEIJING), 'live'),
  variant('everything in Ningxia', NINGXIA, everything(NINGXIA)),
];

/**
 * Packages into a directory of its own, which holds the settings too; `remove` takes it away. The zips
 * are those of the last `npm run build`.
 */
export async function packageVariant({ stage, region, settings }: Omit<Variant, 'name'>) {
  const directory = mkdtempSync(join(tmpdir(), 'variant-'));
  writeFileSync(join(directory, `params.${stage}.yml`), stringify({ region, ...settings }));
  const template: Template = await packageService(directory, stage, {}, { isBuilt: true });
  return {
    directory,
    template,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
