import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Template } from '../deploy/cloudformation.ts';
import { copyService } from '../deploy/service-directory.ts';
import { projectDirectory } from '../repo/project.ts';
import {
  deploy,
  EMULATED_ENVIRONMENT,
  failuresOf,
  findStack,
  listSecrets,
  listTables,
  physicalId,
  REGION,
  remove,
  asEmulated,
} from './emulated-aws.ts';
import { arnOf, packageVariant } from './variants.ts';

const STAGE = 'shop';
const STACK = `wechatpay-serverless-${STAGE}`;
const NAMES = [
  `wechatpay-serverless/${STAGE}/merchant`,
  `wechatpay-serverless/${STAGE}/mini-program`,
];

const directories: (() => void)[] = [];

/** Whatever is left out is named here: a new gap is a decision. */
const NOT_EMULATED = ['EventArchive', 'EventsFailedAlarm', 'ThrottlesAlarm'];

async function templateOf(settings: Record<string, unknown>): Promise<Template> {
  const packaged = await packageVariant({ stage: STAGE, region: REGION, settings });
  directories.push(packaged.remove);
  const emulated = asEmulated(packaged.template);
  const isLeftOut = (name: string) => !Object.hasOwn(emulated.Resources, name);
  expect(Object.keys(packaged.template.Resources).filter(isLeftOut).toSorted()).toEqual(
    NOT_EMULATED,
  );
  return emulated;
}

const OWN = {
  domainName: 'pay.example.com',
  certificateArn: arnOf('acm', REGION, 'certificate/12345678-1234-1234-1234-123456789012'),
  apiVersion: 'v3',
  alarmEmail: 'me@example.com',
  notifyReservedConcurrency: 5,
  tags: { team: 'shop' },
};

let defaults: Template;
let own: Template;

beforeAll(async () => {
  await vi.waitFor(() => listTables(), { timeout: 60_000, interval: 500 });
  defaults = await templateOf({});
  own = await templateOf(OWN);
});

afterAll(() => {
  for (const removeDirectory of directories) {
    removeDirectory();
  }
});

const expectDeployed = async (status: string) => {
  expect({ status, failures: status === 'UPDATE_COMPLETE' ? [] : await failuresOf(STACK) }).toEqual(
    {
      status: 'UPDATE_COMPLETE',
      failures: [],
    },
  );
};

/** `serverless deploy` itself, with the settings that are in `directory`. */
async function serverlessDeploy(directory: string, ...flags: string[]): Promise<string> {
  const run = mkdtempSync(join(tmpdir(), 'deploy-'));
  const serverless = join(projectDirectory, 'node_modules/serverless/bin/serverless.js');
  try {
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        [serverless, 'deploy', '--stage', STAGE, ...flags],
        {
          cwd: copyService(run, { isBuilt: true }),
          env: {
            PATH: process.env['PATH'],
            HOME: run,
            SETTINGS_DIRECTORY: directory,
            npm_config_update_notifier: 'false',
            ...EMULATED_ENVIRONMENT,
          },
        },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
  } finally {
    rmSync(run, { recursive: true, force: true });
  }
}

// The tests go on from each other: one account, one stack, the life of a stage.

test('a first deployment that fails leaves no table and no name of a secret behind', async () => {
  const broken = structuredClone(defaults);
  // Of a kind that the emulator refuses to make, after everything that has a name.
  broken.Resources['Broken'] = {
    Type: 'AWS::CloudWatch::Alarm',
    DependsOn: ['Table', 'MerchantSecret', 'MiniProgramSecret', 'FailedEventsBucket'],
    Properties: { Metrics: [{ Id: 'sum', Expression: 'SUM(METRICS())' }] },
  };

  expect(await deploy(STACK, broken)).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect((await failuresOf(STACK)).join()).toContain('Broken');
  expect(await listSecrets()).toEqual({});
  expect(await listTables()).toEqual([]);
});

test('and can be repeated', async () => {
  await expectDeployed(await deploy(STACK, defaults));

  expect(Object.keys(await listSecrets()).toSorted()).toEqual(NAMES);
  expect(await listTables()).toHaveLength(1);
});

test('an update with other settings keeps table and secrets', async () => {
  const before = { table: await physicalId(STACK, 'Table'), secrets: await listSecrets() };
  await expectDeployed(await deploy(STACK, own));

  expect(await physicalId(STACK, 'Table')).toBe(before.table);
  expect(await listSecrets()).toEqual(before.secrets);
  expect(await physicalId(STACK, 'Domain')).toBe('pay.example.com');
});

test('a careless deployment without these settings is stopped before anything changes', async () => {
  const before = await findStack(STACK);
  const empty = mkdtempSync(join(tmpdir(), 'settings-'));
  directories.push(() => rmSync(empty, { recursive: true, force: true }));
  const output = await serverlessDeploy(empty, '--param=logLevel=WARN');

  expect(output).toMatch(/take away what is there now/);
  for (const kind of ['domain', 'address', 'apiVersion', 'alarmEmail']) {
    expect(output).toContain(`  ${kind}: `);
  }
  expect(await findStack(STACK)).toEqual(before);
});

test('back to the defaults and forth again, in whichever order', async () => {
  const table = await physicalId(STACK, 'Table');
  await expectDeployed(await deploy(STACK, defaults));
  await expectDeployed(await deploy(STACK, own));

  expect(await physicalId(STACK, 'Table')).toBe(table);
});

test('secrets go out of the stack by their ARNs, and stay', async () => {
  const secrets = await listSecrets();
  const taken = await templateOf({
    ...OWN,
    merchantSecretArn: secrets[NAMES[0] ?? ''],
    miniProgramSecretArn: secrets[NAMES[1] ?? ''],
  });
  await expectDeployed(await deploy(STACK, taken));

  expect(await listSecrets()).toEqual(secrets);
});

test('a removed stack leaves table and secrets, and their names stop a deployment at once', async () => {
  const tables = await listTables();
  const secrets = await listSecrets();

  expect(await remove(STACK)).toBe('DELETE_COMPLETE');
  expect(await listTables()).toEqual(tables);
  expect(await listSecrets()).toEqual(secrets);
  const empty = mkdtempSync(join(tmpdir(), 'settings-'));
  directories.push(() => rmSync(empty, { recursive: true, force: true }));
  expect(await serverlessDeploy(empty)).toContain('is there already');
  expect(await findStack(STACK)).toBeUndefined();
});
