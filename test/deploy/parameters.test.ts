import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findProblems } from '../../build/parameters.ts';
import { evaluate, type Json, packageService, SINGAPORE, type Template } from './cloudformation.ts';
import { type Packaged, packageProduction } from './packaged.ts';

let production: Packaged;

beforeAll(async () => {
  production = await packageProduction();
});

afterAll(() => production.remove());

// The packager starts anew for each, with every plugin of its own.
vi.setConfig({ testTimeout: 120_000 });

const CERTIFICATE =
  'arn:aws:acm:ap-southeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012';
const KEY = 'arn:aws:kms:ap-southeast-1:123456789012:key/12345678-1234-1234-1234-123456789012';
const SECRET =
  'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:wechatpay-serverless/staging/merchant-a1B2c3';

describe('parameters', () => {
  const valueOf = (packaged: Template, value: Json | undefined) =>
    evaluate(packaged, SINGAPORE, value ?? null);

  test('without any, what is optional is left out', () => {
    const { template, functionProperties } = production;

    for (const name of ['Domain', 'DomainMapping', 'AlarmEmail', 'CustomerKeyPolicy']) {
      expect(template.Resources).not.toHaveProperty(name);
    }
    expect(template).not.toHaveProperty('Conditions');
    expect(JSON.stringify(template)).not.toMatch(/Fn::If|AWS::NoValue/);
    expect(functionProperties('notify')).not.toHaveProperty('ReservedConcurrentExecutions');
    const { Variables } = functionProperties('prepay')['Environment'] as { Variables: object };
    expect(Variables).toMatchObject({ ALLOW_VIRTUAL_GOODS: 'false' });
  });

  test('a domain, reserved concurrency and an address for alarms are taken over', async () => {
    const packaged = await packageService(join(production.directory, 'parameters'), 'staging', {
      domainName: 'pay.example.com',
      certificateArn: CERTIFICATE,
      alarmEmail: 'me@example.com',
      notifyReservedConcurrency: 20,
      signType: 'MD5',
      allowVirtualGoods: 'true',
      orderNumberScope: 'the-table-before',
      logRetentionDays: 7,
    });
    const properties = (name: string) => packaged.Resources[name]?.Properties ?? {};
    const environment = valueOf(packaged, properties('NotifyLambdaFunction')['Environment']);

    expect(environment).toMatchObject({
      Variables: {
        STAGE: 'staging',
        MERCHANT_SECRET_ID: 'wechatpay-serverless/staging/merchant',
        PUBLIC_BASE_URL: 'https://pay.example.com',
        WECHAT_PAY_SIGN_TYPE: 'MD5',
        ALLOW_VIRTUAL_GOODS: 'true',
        ORDER_NUMBER_SCOPE: 'the-table-before',
      },
    });
    expect(valueOf(packaged, packaged.Outputs['NotifyUrl']?.Value)).toBe(
      'https://pay.example.com/notify/v2/payment',
    );
    expect(properties('NotifyLambdaFunction')['ReservedConcurrentExecutions']).toBe('20');
    expect(properties('AlarmEmail')).toMatchObject({ Endpoint: 'me@example.com' });
    expect(properties('Domain')).toMatchObject({ DomainName: 'pay.example.com' });
    expect(packaged.Resources).toHaveProperty('DomainMapping');
    expect(properties('NotifyLogGroup')).toMatchObject({ RetentionInDays: 7 });
    expect(properties('Table')).toMatchObject({ DeletionProtectionEnabled: false });
  });

  test.each(['prod', 'live'])('the stage %s is protected as production is', async (stage) => {
    const packaged = await packageService(join(production.directory, stage), stage);

    expect(packaged.Resources['Table']?.Properties).toMatchObject({
      DeletionProtectionEnabled: true,
    });
    expect(packaged.Resources['NotifyLogGroup']?.Properties).toMatchObject({
      RetentionInDays: 365,
    });
  });

  test('the stage local is never packaged', async () => {
    await expect(
      packageService(join(production.directory, 'local'), 'local'),
    ).rejects.toMatchObject({
      stdout: expect.stringContaining('The stage "local"'),
    });
  });

  test('an unknown name is refused with the known ones, and nothing is packaged', async () => {
    const target = join(production.directory, 'misspelt');
    const packaged = packageService(target, 'staging', { signtype: 'MD5', apiVersion: 'v4' });

    await expect(packaged).rejects.toMatchObject({
      stdout: expect.stringMatching(
        /There is no parameter "signtype"\.\s+The parameter apiVersion must be v2 or v3\.\s+There are region, apiVersion, /,
      ),
    });
    expect(existsSync(join(target, 'cloudformation-template-update-stack.json'))).toBe(false);
  });
});

describe('the file of a stage', () => {
  const directory = () => production.directory;

  test('is taken by a deployment that names none of it, and the command line has the last word', async () => {
    writeFileSync(
      join(directory(), 'params.shop.yml'),
      [
        'region: ap-southeast-1',
        'apiVersion: v3',
        'domainName: pay.example.com',
        `certificateArn: ${CERTIFICATE}`,
        `kmsKeyArn: ${KEY}`,
        `miniProgramSecretArn: ${SECRET}`,
        `merchantSecretArn: ${SECRET}`,
        'logLevel: INFO',
      ].join('\n'),
    );
    const packaged = await packageService(directory(), 'shop', { logLevel: 'WARN' });
    const notify = packaged.Resources['NotifyLambdaFunction']?.Properties;

    expect(notify?.['Environment']).toMatchObject({
      Variables: {
        WECHAT_PAY_API_VERSION: 'v3',
        PUBLIC_BASE_URL: 'https://pay.example.com',
        POWERTOOLS_LOG_LEVEL: 'WARN',
        MERCHANT_SECRET_ID: SECRET,
      },
    });
    expect(packaged.Resources).not.toHaveProperty('MerchantSecret');
    expect(JSON.stringify(packaged.Resources['NotifyRole'])).toContain(SECRET);
    expect(packaged.Resources['Table']?.Properties['SSESpecification']).toEqual({
      SSEEnabled: true,
      SSEType: 'KMS',
      KMSMasterKeyId: KEY,
    });
    expect(packaged.Resources['AlarmTopic']?.Properties).toEqual({ KmsMasterKeyId: KEY });
    expect(packaged.Resources).not.toHaveProperty('AlarmTopicKey');
    const groups = Object.values(packaged.Resources).filter(
      ({ Type }) => Type === 'AWS::Logs::LogGroup',
    );
    expect(groups.map(({ Properties }) => Properties['KmsKeyId'])).toEqual(groups.map(() => KEY));
    const roles = Object.entries(packaged.Resources)
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .map(([name]) => ({ Ref: name }));
    expect(packaged.Resources['CustomerKeyPolicy']?.Properties['Roles']).toEqual(
      expect.arrayContaining(roles),
    );
  });

  test('is judged as the command line is', async () => {
    writeFileSync(join(directory(), 'params.odd.yml'), 'signType: MD4\nalarmEmail: me\n');

    await expect(packageService(directory(), 'odd')).rejects.toMatchObject({
      stdout: expect.stringMatching(
        /The parameter alarmEmail must be an address of mail\.\s+The parameter signType must be HMAC-SHA256 or MD5\./,
      ),
    });
  });

  test.each([
    ['broken', 'a: [', 'params.broken.yml is not YAML'],
    ['list', '- a', 'params.list.yml holds no parameters'],
    ['allowing', 'allowChanges: table', 'allowChanges is for the command line only'],
  ])('stops everything when it is %s', async (stage, text, reason) => {
    writeFileSync(join(directory(), `params.${stage}.yml`), text);

    await expect(packageService(directory(), stage)).rejects.toMatchObject({
      stdout: expect.stringContaining(reason),
    });
  });
});

describe('the judgement of parameters', () => {
  const judge = (given: Parameters<typeof findProblems>[0]['given'], region = 'ap-southeast-1') =>
    findProblems({ given, region });
  const BEIJING_CERTIFICATE = CERTIFICATE.replace('arn:aws:', 'arn:aws-cn:').replace(
    'ap-southeast-1',
    'cn-north-1',
  );

  test.each([
    ['signType', 'HMAC-SHA512', 'must be HMAC-SHA256 or MD5'],
    ['apiVersion', '3', 'must be v2 or v3'],
    ['orderLifetimeSeconds', '359', 'must be a whole number from 360 to 604800'],
    ['orderLifetimeSeconds', 604_801, 'must be a whole number from 360 to 604800'],
    ['orderLifetimeSeconds', '30m', 'must be a number'],
    ['sessionLifetimeSeconds', '59', 'must be a whole number from 60 to 604800'],
    ['sessionLifetimeSeconds', '604801', 'must be a whole number from 60 to 604800'],
    ['allowVirtualGoods', 'yes', 'must be true or false'],
    ['allowVirtualGoods', '', 'must be true or false'],
    ['tableDeletionProtection', 'on', 'must be true or false'],
    ['paymentAfterClose', 'yes', 'must be keep or refund'],
    ['logLevel', 'verbose', 'must be DEBUG, INFO, WARN or ERROR'],
    ['architecture', 'arm', 'must be arm64 or x86_64'],
    ['logRetentionDays', 31, expect.stringContaining('must be 1, 3, 5, 7, 14, 30, 60')],
    ['eventArchiveDays', '-1', 'must be a number'],
    ['eventArchiveDays', '1.5', 'must be whole days from 0 to 3650'],
    ['orderRetentionDays', '399', 'must be 0, or 400 at least'],
    ['orderRetentionDays', '-1', 'must be a number'],
    ['notificationRetentionDays', '0', 'must be whole days from 1 to 3650'],
    ['notificationRetentionDays', 3651, 'must be whole days from 1 to 3650'],
    ['buyerRateLimit', 'many', 'must be a number'],
    ['notifyReservedConcurrency', '-1', 'must be a whole number'],
    ['alarmEmail', 'me', 'must be an address of mail'],
    ['domainName', 'pay.example.com', 'needs certificateArn as well'],
    ['certificateArn', CERTIFICATE, 'needs domainName as well'],
    ['publicBaseUrl', 'http://pay.example.com', 'must use https'],
    ['publicBaseUrl', 'pay.example.com', 'is not a usable http or https URL'],
    ['orderOptions', '{goodsTag}', 'is not usable: not JSON'],
    ['orderOptions', '{"goodstag":"A"}', expect.stringContaining('is not usable')],
    [
      'wechatPayBaseUrls',
      'https://pay.example.com',
      "may name a host other than WeChat's only in the stage local",
    ],
    [
      'weixinBaseUrls',
      'https://api.weixin.qq.com,https://a.b',
      "may name a host other than WeChat's only in the stage local",
    ],
    ['kmsKeyArn', 'alias/mine', 'must be the ARN of a key of KMS (no alias) in ap-southeast-1'],
    ['merchantSecretArn', SECRET, 'needs miniProgramSecretArn as well'],
    ['miniProgramSecretArn', SECRET, 'needs merchantSecretArn as well'],
    ['tags', 'team=shop', 'must be a map of names and texts, in the file of the stage'],
    ['tags', { 'aws:mine': 'x' }, 'must be a map of names and texts, in the file of the stage'],
  ])('refuses %s: %s', (name, value, fault) => {
    expect(judge({ [name]: value })).toEqual([
      typeof fault === 'string' ? `The parameter ${name} ${fault}.` : fault,
    ]);
  });

  test.each([
    ['https://pay.example.com', 'must be the name of a host, without https:// and without a path'],
    ['pay.example.com/api', 'must be the name of a host, without https:// and without a path'],
  ])('refuses the domain %s', (domainName, fault) => {
    expect(judge({ domainName, certificateArn: CERTIFICATE })).toEqual([
      `The parameter domainName ${fault}.`,
    ]);
  });

  test('refuses a certificate of another region, and takes the one of its own', () => {
    const given = { domainName: 'pay.example.com', certificateArn: CERTIFICATE };

    expect(judge(given)).toEqual([]);
    expect(judge(given, 'us-east-1')).toEqual([
      'The parameter certificateArn is in ap-southeast-1 and the deployment in us-east-1: take one of that region.',
    ]);
    expect(judge({ ...given, certificateArn: BEIJING_CERTIFICATE }, 'cn-north-1')).toEqual([]);
    expect(judge({ ...given, certificateArn: 'certificate' })).toEqual([
      'The parameter certificateArn must be the ARN of a certificate of ACM in ap-southeast-1.',
    ]);
  });

  test('refuses a region that the settings contradict', () => {
    expect(judge({ region: 'cn-north-1' }, 'cn-north-1')).toEqual([]);
    expect(judge({ region: 'cn-north-1' })).toEqual([
      'The parameter region is cn-north-1, and the deployment would go to ap-southeast-1: leave out --region, or say the same.',
    ]);
  });

  test('names everything that is wrong at once, and takes what is right', () => {
    expect(
      judge({ signType: 'MD4', apiVersion: 'v1', orderOptions: '{', buyerRateLimit: '1.5' }),
    ).toEqual([
      'The parameter apiVersion must be v2 or v3.',
      'The parameter signType must be HMAC-SHA256 or MD5.',
      'The parameter orderOptions is not usable: not JSON.',
    ]);
    expect(
      judge({
        orderOptions: '{"goodsTag":"A"}',
        publicBaseUrl: 'https://pay.example.com/api',
        kmsKeyArn: KEY,
        merchantSecretArn: SECRET,
        miniProgramSecretArn: SECRET,
        tags: { team: 'shop', 费用: '支付' },
        alarmEmail: null,
        wechatPayBaseUrls: 'https://api2.mch.weixin.qq.com',
      }),
    ).toEqual([]);
  });
});
