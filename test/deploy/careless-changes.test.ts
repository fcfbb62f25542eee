import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { projectDirectory } from '../repo/project.ts';
import type { Resource, Template } from './cloudformation.ts';
import { type Packaged, packageProduction } from './packaged.ts';

const load = (file: string) => import(pathToFileURL(join(projectDirectory, 'build', file)).href);
const { findLosses, KINDS_OF_LOSS } = await load('careless-changes.mjs');
const { default: BundlePlugin } = await load('serverless-plugin.mjs');

let production: Packaged;

beforeAll(async () => {
  production = await packageProduction();
});

afterAll(() => production.remove());

/** The template as it is packaged, with changes: a resource, or none. */
function templateWith(changes: Change = {}): Template {
  const template = structuredClone(production.template);
  for (const [name, change] of Object.entries(changes)) {
    if (change === undefined) {
      delete template.Resources[name];
    } else {
      const { Properties, ...rest } = change;
      const before = template.Resources[name] ?? { Type: 'AWS::Any', Properties: {} };
      template.Resources[name] = {
        ...before,
        ...rest,
        Properties: { ...before.Properties, ...Properties },
      };
    }
  }
  return template;
}

/** The same variable of every function. */
const variables = (given: Record<string, string>) =>
  Object.fromEntries(
    production.ofType('AWS::Lambda::Function').map(([name, { Properties }]) => {
      const { Variables } = Properties['Environment'] as { Variables: object };
      return [name, { Properties: { Environment: { Variables: { ...Variables, ...given } } } }];
    }),
  );

type Change = Record<string, Partial<Resource> | undefined>;
/** Those that look at the template wait until it is there. */
type Changes = Change | (() => Change);

const DOMAIN = { Domain: { Properties: { DomainName: 'pay.example.com' } } };
const MAIL = { AlarmEmail: { Properties: { Endpoint: 'me@example.com' } } };

describe('what a deployment takes away', () => {
  test.each([
    ['a domain', DOMAIN, {}, ['domain: the domain pay.example.com would be gone']],
    [
      'a domain for another',
      DOMAIN,
      { Domain: { Properties: { DomainName: 'b.example.com' } } },
      ['domain: the domain pay.example.com would become b.example.com'],
    ],
    [
      'an address of its own',
      () => variables({ PUBLIC_BASE_URL: 'https://pay.example.com' }),
      {},
      ["address: the address of the API changes from https://pay.example.com to API Gateway's own"],
    ],
    [
      'API v3',
      () => variables({ WECHAT_PAY_API_VERSION: 'v3' }),
      {},
      ["apiVersion: the version of WeChat Pay's API goes back from v3 to v2"],
    ],
    [
      'the scope of order numbers',
      () => variables({ ORDER_NUMBER_SCOPE: 'first' }),
      {},
      [
        'orderNumbers: orderNumberScope changes: a request that is repeated would make a second order',
      ],
    ],
    [
      'mails of alarms',
      MAIL,
      {},
      ['alarmEmail: the mails of alarms to me@example.com would be gone'],
    ],
    [
      'the protection of the table',
      {},
      { Table: { Properties: { DeletionProtectionEnabled: false } } },
      ['protection: the table can be deleted from then on'],
    ],
    [
      'old logs',
      {},
      { NotifyLogGroup: { Properties: { RetentionInDays: 30 } } },
      ['logs: logs older than 30 days are deleted (365 so far)'],
    ],
    [
      'archived events',
      {},
      { EventArchive: { Properties: { RetentionDays: 30 } } },
      ['events: archived events older than 30 days are deleted (90 so far)'],
    ],
    [
      'archived events that are kept for ever',
      { EventArchive: { Properties: { RetentionDays: 0 } } },
      {},
      ['events: archived events older than 90 days are deleted (for ever so far)'],
    ],
    [
      'the table',
      {},
      { Table: undefined },
      [expect.stringContaining('table: Table would be replaced')],
    ],
    [
      'the table for one of other keys',
      {},
      { Table: { Properties: { KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }] } } },
      [expect.stringContaining('table: Table would be replaced')],
    ],
    [
      'a secret',
      {},
      { MerchantSecret: { Properties: { Name: 'another' } } },
      ['secrets: MerchantSecret would be replaced: the functions would read another one'],
    ],
  ] as [string, Changes, Changes, unknown[]][])('%s is said', (_, before, after, losses) => {
    const [from, to] = [before, after].map((changes) =>
      templateWith(typeof changes === 'function' ? changes() : changes),
    );

    expect(findLosses(from, to)).toEqual(losses);
    const kind = String(findLosses(from, to)[0]).split(':')[0];
    expect(KINDS_OF_LOSS).toContain(kind);
    expect(findLosses(from, to, { allowed: [kind] })).toEqual([]);
  });

  test('nothing is said of the same again, of v3 after v2, of what is added, of the first time', () => {
    const bucketOnly = { Resources: { ServerlessDeploymentBucket: { Type: 'AWS::S3::Bucket' } } };
    const v3 = templateWith({ ...variables({ WECHAT_PAY_API_VERSION: 'v3' }), ...DOMAIN, ...MAIL });

    expect(findLosses(templateWith(), templateWith())).toEqual([]);
    expect(findLosses(v3, v3)).toEqual([]);
    expect(findLosses(templateWith(), v3)).toEqual([]);
    expect(findLosses(bucketOnly, templateWith())).toEqual([]);
    expect(findLosses({ Resources: {} }, templateWith())).toEqual([]);
  });

  test('a secret that is taken out of the stack by its own ARN is still the same', () => {
    const arnOf = (name: string) =>
      `arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:wechatpay-serverless/production/${name}-a1B2c3`;
    const without = templateWith({ MerchantSecret: undefined, MiniProgramSecret: undefined });
    const given = {
      merchantSecretArn: arnOf('merchant'),
      miniProgramSecretArn: arnOf('mini-program'),
    };

    expect(findLosses(templateWith(), without, { given })).toEqual([]);
    expect(
      findLosses(templateWith(), without, {
        given: { ...given, merchantSecretArn: arnOf('other') },
      }),
    ).toEqual(['secrets: MerchantSecret would be replaced: the functions would read another one']);
  });
});

describe('the plugin, before it deploys', () => {
  interface Deployed {
    readonly template?: object;
    readonly secrets?: Record<string, object>;
    readonly param?: string[];
    readonly fault?: Error;
  }

  /** The plugin within a Serverless that knows this stack and these secrets. */
  function plugin({ template, secrets = {}, param = [], fault }: Deployed) {
    const missing = Object.assign(new Error('Stack with id shop does not exist'), {
      name: 'ValidationError',
    });
    const describeSecret = ({ input }: { input: { SecretId: string } }) =>
      input.SecretId in secrets
        ? Promise.resolve(secrets[input.SecretId])
        : Promise.reject(
            Object.assign(new Error('not there'), { name: 'ResourceNotFoundException' }),
          );
    vi.spyOn(SecretsManagerClient.prototype, 'send').mockImplementation(describeSecret as never);
    const asked: object[] = [];
    const { hooks } = new BundlePlugin({
      classes: { Error },
      serviceDir: production.directory,
      processedInput: { options: { stage: 'production', param } },
      configurationInput: { params: { default: {} } },
      service: { provider: { compiledCloudFormationTemplate: production.template } },
      getProvider: () => ({
        naming: { getStackName: () => 'shop' },
        getAwsSdkV3Config: () => Promise.resolve({ region: 'ap-southeast-1' }),
        getCloudFormationClient: () => ({
          send: ({ input }: { input: object }) => {
            asked.push(input);
            if (fault || template === undefined) {
              return Promise.reject(fault ?? missing);
            }
            return Promise.resolve({ TemplateBody: JSON.stringify(template) });
          },
        }),
      }),
    });
    const hook = (name: string) => Promise.resolve().then(() => hooks[name]());
    return {
      compare: () => hook('before:aws:deploy:deploy:createStack'),
      single: () => hook('before:deploy:function:initialize'),
      asked,
    };
  }

  const careless = () =>
    templateWith({ ...variables({ WECHAT_PAY_API_VERSION: 'v3' }), ...DOMAIN, ...MAIL });

  test('says what would be lost, where settings belong, and how to mean it', async () => {
    const { compare, asked } = plugin({ template: careless() });

    await expect(compare()).rejects.toThrow(
      /take away what is there now:\n {2}domain: .*\n {2}apiVersion: .*\n {2}alarmEmail: .*\n.*params\.production\.yml.*\n.*--param="allowChanges=domain,apiVersion,alarmEmail"$/,
    );
    expect(asked).toEqual([{ StackName: 'shop', TemplateStage: 'Processed' }]);
  });

  test('goes on when all of it is allowed by name, and not when a part is', async () => {
    const all = plugin({
      template: careless(),
      param: ['allowChanges=domain, apiVersion,alarmEmail'],
    });
    const part = plugin({ template: careless(), param: ['allowChanges=domain'] });

    await expect(all.compare()).resolves.toBeUndefined();
    await expect(part.compare()).rejects.toThrow(/"allowChanges=apiVersion,alarmEmail"$/);
  });

  test('goes on when nothing changes, and at the first time', async () => {
    await expect(plugin({ template: templateWith() }).compare()).resolves.toBeUndefined();
    await expect(plugin({}).compare()).resolves.toBeUndefined();
  });

  test('does not take a failure to look for a stack that is not there', async () => {
    const fault = new Error('Rate exceeded');

    await expect(plugin({ fault }).compare()).rejects.toBe(fault);
  });

  test('stops before CloudFormation would, when a name is taken', async () => {
    const name = 'wechatpay-serverless/production/merchant';

    await expect(plugin({ secrets: { [name]: { Name: name } } }).compare()).rejects.toThrow(
      `The secret ${name} is there already`,
    );
    await expect(
      plugin({ secrets: { [name]: { DeletedDate: new Date(0) } } }).compare(),
    ).rejects.toThrow(`aws secretsmanager restore-secret --secret-id ${name}`);
  });

  test('deploys no single function, and says why', async () => {
    await expect(plugin({}).single()).rejects.toThrow('A single function is not deployed');
  });
});
