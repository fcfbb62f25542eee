import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/runtime/config.ts';
import { loadPublishConfig } from '../../lib/runtime/publish-config.ts';
import { listProjectFiles, projectDirectory } from '../repo/project.ts';
import { evaluate, SINGAPORE } from './cloudformation.ts';
import { FUNCTIONS, type Packaged, packageProduction } from './packaged.ts';

let packaged: Packaged;

beforeAll(async () => {
  packaged = await packageProduction();
});

afterAll(() => packaged.remove());

describe('functions', () => {
  const unzip = (name: string) =>
    unzipSync(readFileSync(join(projectDirectory, '.build', `${name}.zip`)));

  test('are the files of functions/', () => {
    const files = listProjectFiles('functions/*.ts').map((path) => path.slice(10, -3));

    expect(files.toSorted()).toEqual(FUNCTIONS.toSorted());
    expect(packaged.ofType('AWS::Lambda::Function')).toHaveLength(FUNCTIONS.length);
  });

  test.each([
    ['login', { MemorySize: 512, Timeout: 10 }],
    ['prepay', { MemorySize: 512, Timeout: 15 }],
    ['notify', { MemorySize: 1024, Timeout: 4 }],
    ['query', { MemorySize: 512, Timeout: 15 }],
    ['close', { MemorySize: 512, Timeout: 15 }],
    ['refund', { MemorySize: 512, Timeout: 29 }],
    ['reconcile', { MemorySize: 1024, Timeout: 55 }],
    ['publish', { MemorySize: 512, Timeout: 60 }],
    ['bill', { MemorySize: 1024, Timeout: 900, EphemeralStorage: { Size: 2048 } }],
  ])('%s has its memory and timeout', (name, size) => {
    expect(packaged.functionProperties(name)).toMatchObject({
      ...size,
      FunctionName: `wechatpay-serverless-production-${name}`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
    });
  });

  test.each(FUNCTIONS)('%s is a zip with one module', (name) => {
    const { S3Key } = packaged.functionProperties(name)['Code'] as { S3Key: string };

    expect(S3Key).toMatch(new RegExp(`/${name}\\.zip$`));
    expect(Object.keys(unzip(name))).toEqual(['index.mjs']);
  });

  test.each(FUNCTIONS)('%s starts, and offers its handler, whatever is missing', async (name) => {
    const path = join(packaged.directory, `${name}.mjs`);
    writeFileSync(path, unzip(name)['index.mjs'] ?? '');
    const nothingListens = 'http://127.0.0.1:9';
    const environments: Record<string, string>[] = [
      {},
      { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' },
      {
        ...packaged.environmentOf(name),
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_REGION: 'ap-southeast-1',
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'key',
        AWS_ENDPOINT_URL_DYNAMODB: nothingListens,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: nothingListens,
        AWS_ENDPOINT_URL_EVENTBRIDGE: nothingListens,
      },
    ];
    for (const env of environments) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `console.log(typeof (await import('${pathToFileURL(path).href}')).handler)`,
        ],
        { env, timeout: 10_000 },
      );

      expect(stdout.trim().split('\n').at(-1)).toBe('function');
    }
  });

  const OF_PUBLISH = { EVENT_BUS_NAME: 'EventBus', NOTIFICATION_RETENTION_DAYS: '90' };
  const OF_BILL = {
    FOREIGN_ORDER_NUMBERS: '',
    NODE_OPTIONS: '--max-semi-space-size=4 --max-old-space-size=96',
  };
  const OWN: Readonly<Record<string, object>> = { publish: OF_PUBLISH, bill: OF_BILL };

  test('the settings they get are those that they read', () => {
    const required = {
      STAGE: 'production',
      TABLE_NAME: 'Table',
      MINI_PROGRAM_SECRET_ID: 'wechatpay-serverless/production/mini-program',
      MERCHANT_SECRET_ID: 'wechatpay-serverless/production/merchant',
      PUBLIC_BASE_URL: 'https://HttpApi.execute-api.ap-southeast-1.amazonaws.com',
    };
    const powertools = {
      POWERTOOLS_SERVICE_NAME: 'wechatpay-serverless-production',
      POWERTOOLS_METRICS_NAMESPACE: 'WechatPayServerless',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    };
    const read = new Set<string>();
    const environment = new Proxy<Record<string, string>>(
      { ...required },
      {
        get: (target, name) => {
          read.add(String(name));
          return Reflect.get(target, name);
        },
      },
    );
    const defaults = loadConfig(environment);

    for (const name of FUNCTIONS) {
      const given = packaged.environmentOf(name);
      expect(given).toMatchObject({ ...required, ...powertools });
      const own = new Set(Object.keys(OWN[name] ?? {}));
      expect(new Set(Object.keys(given))).toEqual(
        read.union(new Set(Object.keys(powertools))).union(own),
      );
      expect(loadConfig(given)).toEqual(defaults);
    }
    const given = packaged.environmentOf('publish');
    expect(given).toMatchObject(OF_PUBLISH);
    expect(packaged.environmentOf('bill')).toMatchObject(OF_BILL);
    expect(loadPublishConfig(given)).toEqual({
      tableName: 'Table',
      eventBusName: 'EventBus',
      notificationRetentionDays: 90,
    });
  });

  test('their logs and the access log are kept as long as the stage says', () => {
    const groups = Object.fromEntries(
      packaged
        .ofType('AWS::Logs::LogGroup')
        .map(([, { Properties }]) => [Properties['LogGroupName'], Properties['RetentionInDays']]),
    );

    expect(groups).toEqual({
      ...Object.fromEntries(
        FUNCTIONS.map((name) => [`/aws/lambda/wechatpay-serverless-production-${name}`, 365]),
      ),
      '/aws/http-api/wechatpay-serverless-production': 365,
    });
  });
});

describe('triggers', () => {
  test('the routes are those of the HTTP contract', () => {
    const routes = Object.fromEntries(
      packaged
        .ofType('AWS::ApiGatewayV2::Route')
        .map(([, { Properties }]) => [
          Properties['RouteKey'],
          evaluate(packaged.template, SINGAPORE, Properties['Target'] ?? null),
        ]),
    );

    expect(routes).toEqual({
      'POST /login': 'integrations/HttpApiIntegrationLogin',
      'POST /prepay': 'integrations/HttpApiIntegrationPrepay',
      'GET /orders/{outTradeNo}': 'integrations/HttpApiIntegrationQuery',
      'POST /orders/{outTradeNo}/close': 'integrations/HttpApiIntegrationClose',
      'POST /orders/{outTradeNo}/refunds': 'integrations/HttpApiIntegrationRefund',
      'GET /orders/{outTradeNo}/refunds': 'integrations/HttpApiIntegrationRefund',
      'GET /orders/{outTradeNo}/refunds/{outRefundNo}': 'integrations/HttpApiIntegrationRefund',
      'POST /orders/{outTradeNo}/refunds/{outRefundNo}/abnormal':
        'integrations/HttpApiIntegrationRefund',
      'POST /notify/v2/payment': 'integrations/HttpApiIntegrationNotify',
      'POST /notify/v2/refund': 'integrations/HttpApiIntegrationNotify',
      'POST /notify/v3': 'integrations/HttpApiIntegrationNotify',
    });
    for (const [, { Properties }] of packaged.ofType('AWS::ApiGatewayV2::Integration')) {
      expect(Properties['PayloadFormatVersion']).toBe('2.0');
    }
  });

  test('only those of refunds demand a signature of AWS, and all of those do', () => {
    const demands = packaged.ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => ({
      isRefund: (Properties['RouteKey'] as string).includes('/refunds'),
      authorization: Properties['AuthorizationType'] ?? 'NONE',
    }));

    expect(demands.filter(({ isRefund }) => isRefund)).toHaveLength(4);
    for (const { isRefund, authorization } of demands) {
      expect(authorization).toBe(isRefund ? 'AWS_IAM' : 'NONE');
    }
  });

  test('buyers and notifications are throttled apart, and every request is logged', () => {
    expect(packaged.resource('HttpApiStage')).toMatchObject({
      DependsOn: expect.arrayContaining([
        'HttpApiRoutePostNotifyV2Payment',
        'HttpApiRoutePostNotifyV2Refund',
        'HttpApiRoutePostNotifyV3',
      ]),
      Properties: {
        DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
        RouteSettings: {
          'POST /notify/v2/payment': { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
          'POST /notify/v2/refund': { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
          'POST /notify/v3': { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
        },
        AccessLogSettings: { DestinationArn: { 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] } },
      },
    });
  });

  test('reconcile runs every minute and a failed run is not repeated', () => {
    expect(packaged.resource('ReconcileEventsRuleSchedule1').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ Arn: { 'Fn::GetAtt': ['ReconcileLambdaFunction', 'Arn'] } }],
    });
    expect(packaged.resource('ReconcileLambdaEvConf').Properties).toMatchObject({
      MaximumRetryAttempts: 0,
    });
  });

  test('bill runs from 10:30 to 15:30 in Beijing, and a failed run is not repeated', () => {
    expect(packaged.resource('BillEventsRuleSchedule1').Properties).toMatchObject({
      ScheduleExpression: 'cron(30 2-7 * * ? *)',
      State: 'ENABLED',
      Targets: [{ Arn: { 'Fn::GetAtt': ['BillLambdaFunction', 'Arn'] } }],
    });
    expect(packaged.resource('BillLambdaEvConf').Properties).toMatchObject({
      MaximumRetryAttempts: 0,
    });
  });

  test('publish follows the table, sees facts only, and loses nothing for most of a day', () => {
    const mapping = packaged.resource('PublishEventSourceMapping').Properties;
    const { FilterCriteria, MaximumRecordAgeInSeconds } = mapping as {
      FilterCriteria: { Filters: [{ Pattern: string }] };
      MaximumRecordAgeInSeconds: number;
    };

    expect(packaged.ofType('AWS::Lambda::EventSourceMapping')).toHaveLength(1);
    expect(evaluate(packaged.template, SINGAPORE, mapping)).toMatchObject({
      FunctionName: 'PublishLambdaFunction',
      EventSourceArn: 'Table.StreamArn',
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: -1,
      DestinationConfig: { OnFailure: { Destination: 'FailedEventsBucket.Arn' } },
      MetricsConfig: { Metrics: ['EventCount'] },
    });
    expect(FilterCriteria.Filters).toHaveLength(1);
    expect(JSON.parse(FilterCriteria.Filters[0].Pattern)).toEqual({
      eventName: ['INSERT', 'MODIFY'],
      dynamodb: { NewImage: { factCount: { N: [{ exists: true }] } } },
    });
    // The stream forgets after a day.
    expect(MaximumRecordAgeInSeconds).toBeGreaterThan(12 * 3_600);
    expect(MaximumRecordAgeInSeconds).toBeLessThan(24 * 3_600);
  });
});
