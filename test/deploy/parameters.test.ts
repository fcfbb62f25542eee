import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { projectDirectory, readProjectFile } from '../repo/project.ts';
import { evaluate, type Json, packageService, SINGAPORE, type Template } from './cloudformation.ts';
import { type Packaged, packageProduction } from './packaged.ts';

let production: Packaged;

beforeAll(async () => {
  production = await packageProduction();
});

afterAll(() => production.remove());

// The packager starts anew for each, with every plugin of its own.
vi.setConfig({ testTimeout: 120_000 });

describe('parameters', () => {
  const ORDER_LIFETIME = 'The parameter orderLifetimeSeconds must be whole seconds';
  const RETENTION = 'The parameter notificationRetentionDays must be whole days';
  const SESSION_LIFETIME = 'The parameter sessionLifetimeSeconds must be whole seconds';

  /** What the plugin says to the parameters, without Serverless around it. */
  const refusalOf = async (param: string[], ofStage = {}): Promise<string> => {
    const path = join(projectDirectory, 'build/serverless-plugin.mjs');
    const { default: BundlePlugin } = await import(pathToFileURL(path).href);
    const { params } = parse(readProjectFile('serverless.yml'));
    const { hooks } = new BundlePlugin({
      classes: { Error },
      service: { provider: { stage: 'staging' } },
      serviceDir: join(production.directory, 'nothing-to-build'),
      configurationInput: { params: { ...params, staging: ofStage } },
      processedInput: { options: { param } },
    });
    try {
      hooks['before:package:initialize']();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('nothing was refused');
  };

  const valueOf = (packaged: Template, value: Json | undefined) =>
    evaluate(packaged, SINGAPORE, value ?? null);

  test('without any, what is optional is left out', () => {
    const { template, resource, functionProperties } = production;
    for (const name of ['Domain', 'DomainMapping', 'AlarmEmail']) {
      expect(valueOf(template, template.Conditions[resource(name).Condition ?? ''])).toBe(false);
    }
    const reserved = functionProperties('notify')['ReservedConcurrentExecutions'];
    expect(valueOf(template, reserved)).toBe(null);
    const { Variables } = functionProperties('prepay')['Environment'] as { Variables: object };
    expect(Variables).toMatchObject({ ALLOW_VIRTUAL_GOODS: 'false' });
  });

  test('a domain, reserved concurrency and an address for alarms are taken over', async () => {
    const packaged = await packageService(join(production.directory, 'parameters'), 'staging', {
      domainName: 'pay.example.com',
      certificateArn: 'certificate',
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
    expect(
      valueOf(packaged, properties('NotifyLambdaFunction')['ReservedConcurrentExecutions']),
    ).toBe('20');
    expect(properties('AlarmEmail')).toMatchObject({ Endpoint: 'me@example.com' });
    expect(properties('NotifyLogGroup')).toMatchObject({ RetentionInDays: 7 });
    expect(properties('Table')).toMatchObject({ DeletionProtectionEnabled: false });
    for (const name of ['Domain', 'DomainMapping', 'AlarmEmail']) {
      const { Condition = '' } = packaged.Resources[name] ?? {};
      expect(valueOf(packaged, packaged.Conditions[Condition])).toBe(true);
    }
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
        /There is no parameter "signtype"\.\s+The parameter apiVersion must be v2 or v3\.\s+There are apiVersion, signType, /,
      ),
    });
    expect(existsSync(join(target, 'cloudformation-template-update-stack.json'))).toBe(false);
  });

  test.each([
    ['signType=HMAC-SHA512', 'The parameter signType must be HMAC-SHA256 or MD5.'],
    ['apiVersion=3', 'The parameter apiVersion must be v2 or v3.'],
    ['orderLifetimeSeconds=359', `${ORDER_LIFETIME} from 360 to 604800.`],
    ['orderLifetimeSeconds=604801', `${ORDER_LIFETIME} from 360 to 604800.`],
    ['orderLifetimeSeconds=30m', `${ORDER_LIFETIME} from 360 to 604800.`],
    ['sessionLifetimeSeconds=59', `${SESSION_LIFETIME} from 60 to 604800.`],
    ['sessionLifetimeSeconds=604801', `${SESSION_LIFETIME} from 60 to 604800.`],
    ['allowVirtualGoods=yes', 'The parameter allowVirtualGoods must be true or false.'],
    ['allowVirtualGoods=', 'The parameter allowVirtualGoods must be true or false.'],
    ['paymentAfterClose=yes', 'The parameter paymentAfterClose must be keep or refund.'],
    ['eventArchiveDays=-1', 'The parameter eventArchiveDays must be whole days from 0 to 3650.'],
    ['notificationRetentionDays=0', `${RETENTION} from 1 to 3650.`],
    ['notificationRetentionDays=3651', `${RETENTION} from 1 to 3650.`],
    ['domainName=pay.example.com', 'The parameter domainName needs certificateArn as well.'],
    ['logLevel=verbose', 'The parameter logLevel must be DEBUG, INFO, WARN or ERROR.'],
  ])('%s is refused before anything is built', async (parameter, message) => {
    expect(await refusalOf([parameter])).toBe(message);
  });

  test('of a stage in serverless.yml are checked as well, and the command line has the last word', async () => {
    const ofStage = { signType: 'MD4' };

    expect(await refusalOf([], ofStage)).toBe('The parameter signType must be HMAC-SHA256 or MD5.');
    expect(await refusalOf(['signType=MD5', 'apiVersion=v4'], ofStage)).toBe(
      'The parameter apiVersion must be v2 or v3.',
    );
  });
});
