import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../lib/runtime/config.ts';
import { OPEN_ORDERS_INDEX, TABLE_DEFINITION } from '../../lib/table/schema.ts';
import {
  BEIJING,
  evaluate,
  type Json,
  packageService,
  type Resource,
  SINGAPORE,
  type Template,
} from './cloudformation.ts';
import { listProjectFiles, projectDirectory, readProjectFile } from './project.ts';

const FUNCTIONS = ['login', 'prepay', 'notify', 'query', 'reconcile'];
const PLACES = [SINGAPORE, BEIJING];

const directory = mkdtempSync(join(tmpdir(), 'template-'));
let template: Template;

beforeAll(async () => {
  template = await packageService(directory, 'production');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ofType = (type: string) =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

const resource = (logicalId: string): Resource => {
  const found = template.Resources[logicalId];
  if (found === undefined) {
    throw new Error(`the template has no ${logicalId}`);
  }
  return found;
};

const logicalIdOf = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}`;

const functionProperties = (name: string) =>
  resource(`${logicalIdOf(name)}LambdaFunction`).Properties;

const environmentOf = (name: string, place = SINGAPORE) => {
  const { Variables } = functionProperties(name)['Environment'] as { Variables: Json };
  return evaluate(template, place, Variables) as Record<string, string>;
};

const unzip = (name: string) =>
  unzipSync(readFileSync(join(projectDirectory, '.build', `${name}.zip`)));

describe('both partitions', () => {
  test('the template names no partition and no domain of AWS', () => {
    expect(JSON.stringify(template)).not.toMatch(/arn:aws|amazonaws/);
    expect(readProjectFile('serverless.yml')).not.toMatch(/arn:aws|amazonaws/);
  });

  test.each(PLACES)('service principals are the same names in $AWS::Region', (place) => {
    const principals = [
      ...ofType('AWS::IAM::Role').map(
        ([, { Properties }]) => Properties['AssumeRolePolicyDocument'],
      ),
      ...ofType('AWS::Lambda::Permission').map(([, { Properties }]) => Properties['Principal']),
    ].map((value) => JSON.stringify(evaluate(template, place, value ?? null)));
    const names = principals.map((text) => /"([a-z]+\.amazonaws[^"]*)"/.exec(text)?.[1]);

    expect(new Set(names)).toEqual(
      new Set(['lambda.amazonaws.com', 'apigateway.amazonaws.com', 'events.amazonaws.com']),
    );
    expect(names).toHaveLength(FUNCTIONS.length * 2);
  });

  test('the public base URL has the domain of its partition', () => {
    const urls = PLACES.map((place) => environmentOf('prepay', place)['PUBLIC_BASE_URL']);

    expect(urls).toEqual([
      'https://HttpApi.execute-api.ap-southeast-1.amazonaws.com',
      'https://HttpApi.execute-api.cn-north-1.amazonaws.com.cn',
    ]);
  });
});

describe('roles', () => {
  interface Statement {
    Effect: string;
    Action: string | string[];
    Resource: string | string[];
  }

  const statementsOf = (logicalId: string) => {
    const policies = evaluate(
      template,
      SINGAPORE,
      resource(logicalId).Properties['Policies'] ?? null,
    );
    return (policies as unknown as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
      ({ PolicyDocument }) => PolicyDocument.Statement,
    );
  };

  /** `action on resource`, one line for each pair that a role grants. */
  const grantsOf = (logicalId: string) =>
    statementsOf(logicalId)
      .flatMap(({ Action, Resource: resources }) =>
        [Action].flat().flatMap((action) => [resources].flat().map((arn) => `${action} on ${arn}`)),
      )
      .toSorted();

  const logging = (name: string) => [
    `logs:CreateLogStream on ${name}LogGroup.Arn`,
    `logs:PutLogEvents on ${name}LogGroup.Arn`,
  ];
  const readMiniProgram = 'secretsmanager:GetSecretValue on MiniProgramSecret';
  const readMerchant = 'secretsmanager:GetSecretValue on MerchantSecret';

  test.each([
    ['Login', [readMiniProgram]],
    [
      'Prepay',
      [
        readMiniProgram,
        readMerchant,
        'dynamodb:BatchGetItem on Table.Arn',
        'dynamodb:ConditionCheckItem on Table.Arn',
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:PutItem on Table.Arn',
      ],
    ],
    ['Notify', [readMerchant, 'dynamodb:GetItem on Table.Arn', 'dynamodb:UpdateItem on Table.Arn']],
    [
      'Query',
      [
        readMiniProgram,
        readMerchant,
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
    [
      'Reconcile',
      [
        readMerchant,
        `dynamodb:Query on Table.Arn/index/${OPEN_ORDERS_INDEX}`,
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
  ])('%s may do exactly what it does', (name, grants) => {
    expect(grantsOf(`${name}Role`)).toEqual([...grants, ...logging(name)].toSorted());
  });

  test('every function has its own role and every role its function', () => {
    const roles = FUNCTIONS.map((name) => functionProperties(name)['Role']);

    expect(roles).toEqual(
      FUNCTIONS.map((name) => ({ 'Fn::GetAtt': [`${logicalIdOf(name)}Role`, 'Arn'] })),
    );
    expect(ofType('AWS::IAM::Role')).toHaveLength(FUNCTIONS.length);
  });

  test('nothing is allowed with a wildcard, and no policy stands outside the roles', () => {
    const statements = ofType('AWS::IAM::Role').flatMap(([id]) => statementsOf(id));

    expect(statements.filter((statement) => JSON.stringify(statement).includes('*'))).toEqual([]);
    expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true);
    expect(ofType('AWS::IAM::Policy')).toEqual([]);
    expect(ofType('AWS::IAM::ManagedPolicy')).toEqual([]);
    for (const [, { Properties }] of ofType('AWS::IAM::Role')) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  test('the only policy on a bucket denies what is not encrypted in transit', () => {
    const policies = ofType('AWS::S3::BucketPolicy').map(([, { Properties }]) => Properties);

    expect(policies).toHaveLength(1);
    expect(policies[0]).toMatchObject({
      PolicyDocument: {
        Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': false } } }],
      },
    });
  });

  test('only this API and this schedule may invoke the functions', () => {
    const sources = ofType('AWS::Lambda::Permission').map(([id, { Properties }]) => [
      id,
      evaluate(template, SINGAPORE, Properties['SourceArn'] ?? null),
    ]);
    const api = 'arn:aws:execute-api:ap-southeast-1:123456789012:HttpApi/*';

    expect(Object.fromEntries(sources)).toEqual({
      LoginLambdaPermissionHttpApi: api,
      PrepayLambdaPermissionHttpApi: api,
      NotifyLambdaPermissionHttpApi: api,
      QueryLambdaPermissionHttpApi: api,
      ReconcileLambdaPermissionEventsRuleSchedule1: 'ReconcileEventsRuleSchedule1.Arn',
    });
  });
});

describe('functions', () => {
  test('are the files of functions/', () => {
    const files = listProjectFiles('functions/*.ts').map((path) => path.slice(10, -3));

    expect(files.toSorted()).toEqual(FUNCTIONS.toSorted());
    expect(ofType('AWS::Lambda::Function')).toHaveLength(FUNCTIONS.length);
  });

  test.each([
    ['login', { MemorySize: 512, Timeout: 10 }],
    ['prepay', { MemorySize: 512, Timeout: 15 }],
    ['notify', { MemorySize: 1024, Timeout: 4 }],
    ['query', { MemorySize: 512, Timeout: 15 }],
    ['reconcile', { MemorySize: 512, Timeout: 55 }],
  ])('%s has its memory and timeout', (name, size) => {
    expect(functionProperties(name)).toMatchObject({
      ...size,
      FunctionName: `wechatpay-serverless-production-${name}`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
    });
  });

  test.each(FUNCTIONS)('%s is a zip with one module', (name) => {
    const { S3Key } = functionProperties(name)['Code'] as { S3Key: string };

    expect(S3Key).toMatch(new RegExp(`/${name}\\.zip$`));
    expect(Object.keys(unzip(name))).toEqual(['index.mjs']);
  });

  test.each(FUNCTIONS)('%s starts, and offers its handler, whatever is missing', async (name) => {
    const path = join(directory, `${name}.mjs`);
    writeFileSync(path, unzip(name)['index.mjs'] ?? '');
    const nothingListens = 'http://127.0.0.1:9';
    const environments: Record<string, string>[] = [
      {},
      { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' },
      {
        ...environmentOf(name),
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_REGION: 'ap-southeast-1',
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'key',
        AWS_ENDPOINT_URL_DYNAMODB: nothingListens,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: nothingListens,
      },
    ];
    for (const env of environments) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', `console.log(typeof (await import('${path}')).handler)`],
        { env, timeout: 10_000 },
      );

      expect(stdout.trim().split('\n').at(-1)).toBe('function');
    }
  });

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
      const given = environmentOf(name);
      expect(given).toMatchObject({ ...required, ...powertools });
      expect(new Set(Object.keys(given))).toEqual(read.union(new Set(Object.keys(powertools))));
      expect(loadConfig(given)).toEqual(defaults);
    }
  });

  test('their logs and the access log are kept as long as the stage says', () => {
    const groups = Object.fromEntries(
      ofType('AWS::Logs::LogGroup').map(([, { Properties }]) => [
        Properties['LogGroupName'],
        Properties['RetentionInDays'],
      ]),
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
      ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
        Properties['RouteKey'],
        evaluate(template, SINGAPORE, Properties['Target'] ?? null),
      ]),
    );

    expect(routes).toEqual({
      'POST /login': 'integrations/HttpApiIntegrationLogin',
      'POST /prepay': 'integrations/HttpApiIntegrationPrepay',
      'GET /orders/{outTradeNo}': 'integrations/HttpApiIntegrationQuery',
      'POST /notify/v2/payment': 'integrations/HttpApiIntegrationNotify',
      'POST /notify/v2/refund': 'integrations/HttpApiIntegrationNotify',
      'POST /notify/v3': 'integrations/HttpApiIntegrationNotify',
    });
    for (const [, { Properties }] of ofType('AWS::ApiGatewayV2::Integration')) {
      expect(Properties['PayloadFormatVersion']).toBe('2.0');
    }
  });

  test('buyers and notifications are throttled apart, and every request is logged', () => {
    expect(resource('HttpApiStage')).toMatchObject({
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
    expect(resource('ReconcileEventsRuleSchedule1').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ Arn: { 'Fn::GetAtt': ['ReconcileLambdaFunction', 'Arn'] } }],
    });
    expect(resource('ReconcileLambdaEvConf').Properties).toMatchObject({ MaximumRetryAttempts: 0 });
  });
});

describe('data', () => {
  test('the table is the one of lib/table/schema.ts', () => {
    const { StreamSpecification, ...definition } = TABLE_DEFINITION;

    expect(resource('Table').Properties).toEqual({
      ...definition,
      // CloudFormation has no StreamEnabled: naming the view type turns the stream on.
      StreamSpecification: { StreamViewType: StreamSpecification.StreamViewType },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });

  test.each(['Table', 'MiniProgramSecret', 'MerchantSecret'])('%s outlives the stack', (name) => {
    expect(resource(name)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('the template holds no value of a secret', () => {
    for (const [, { Properties }] of ofType('AWS::SecretsManager::Secret')) {
      expect(Object.keys(Properties).toSorted()).toEqual(['Description', 'Name']);
    }
  });
});

describe('alarms', () => {
  const metricsOf = ({ Properties }: Resource) => {
    const metrics = (Properties['Metrics'] ?? []) as { MetricStat?: { Metric: Json } }[];
    return [
      ...(Properties['MetricName'] === undefined ? [] : [Properties]),
      ...metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : [])),
    ].map((metric) => evaluate(template, SINGAPORE, metric)) as {
      Namespace: string;
      MetricName: string;
      Dimensions: { Name: string; Value: string }[];
    }[];
  };

  test('each says what to do and is sent to the topic', () => {
    for (const [, { Properties }] of ofType('AWS::CloudWatch::Alarm')) {
      expect(Properties['AlarmDescription']).toMatch(/^.{60,}[.?]$/);
      expect(Properties['AlarmActions']).toEqual([{ Ref: 'AlarmTopic' }]);
    }
  });

  test('those on our own metrics name metrics that the code counts', () => {
    const code = listProjectFiles('lib/**/*.ts', 'functions/*.ts')
      .filter((path) => path !== 'lib/runtime/log.ts')
      .map(readProjectFile)
      .join('\n');
    const own = ofType('AWS::CloudWatch::Alarm')
      .flatMap(([, alarm]) => metricsOf(alarm))
      .filter(({ Namespace }) => !Namespace.startsWith('AWS/'));

    const names = own.map(({ MetricName }) => MetricName);
    expect(names.toSorted()).toEqual([
      'ConfigError',
      'MerchantCertificateDaysLeft',
      'PaymentAfterClose',
      'ReconcileOrderFailed',
      'SignatureRejected',
      'TransactionMismatch',
      'UnknownOrderNotified',
    ]);
    expect(names.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
    const environment = environmentOf('notify');
    for (const { Namespace, Dimensions } of own) {
      expect(Namespace).toBe(environment['POWERTOOLS_METRICS_NAMESPACE']);
      expect(Dimensions).toEqual([
        { Name: 'service', Value: environment['POWERTOOLS_SERVICE_NAME'] },
      ]);
    }
  });

  test('those on the functions watch notify, reconcile and the throttling of all', () => {
    const watched = ofType('AWS::CloudWatch::Alarm')
      .flatMap(([, alarm]) => metricsOf(alarm))
      .filter(({ Namespace }) => Namespace === 'AWS/Lambda')
      .map(({ MetricName, Dimensions }) => `${MetricName} of ${Dimensions[0]?.Value}`);

    expect(watched.toSorted()).toEqual(
      [
        'Duration of NotifyLambdaFunction',
        'Errors of NotifyLambdaFunction',
        'Errors of ReconcileLambdaFunction',
        'Invocations of ReconcileLambdaFunction',
        ...FUNCTIONS.map((name) => `Throttles of ${logicalIdOf(name)}LambdaFunction`),
      ].toSorted(),
    );
  });

  test('a reconcile that does not run at all is an alarm', () => {
    expect(resource('ReconcileStoppedAlarm').Properties).toMatchObject({
      MetricName: 'Invocations',
      Period: 600,
      EvaluationPeriods: 1,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });
});

describe('parameters', () => {
  const ORDER_LIFETIME = 'The parameter orderLifetimeSeconds must be whole seconds';
  const SESSION_LIFETIME = 'The parameter sessionLifetimeSeconds must be whole seconds';

  /** What the plugin says to the parameters, without Serverless around it. */
  const refusalOf = async (param: string[], ofStage = {}): Promise<string> => {
    const path = join(projectDirectory, 'build/serverless-plugin.mjs');
    const { default: BundlePlugin } = await import(pathToFileURL(path).href);
    const { params } = parse(readProjectFile('serverless.yml'));
    const { hooks } = new BundlePlugin({
      classes: { Error },
      service: { provider: { stage: 'staging' } },
      serviceDir: join(directory, 'nothing-to-build'),
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
    for (const name of ['Domain', 'DomainMapping', 'AlarmEmail']) {
      expect(valueOf(template, template.Conditions[resource(name).Condition ?? ''])).toBe(false);
    }
    const reserved = functionProperties('notify')['ReservedConcurrentExecutions'];
    expect(valueOf(template, reserved)).toBe(null);
  });

  test('a domain, reserved concurrency and an address for alarms are taken over', async () => {
    const packaged = await packageService(join(directory, 'parameters'), 'staging', {
      domainName: 'pay.example.com',
      certificateArn: 'certificate',
      alarmEmail: 'me@example.com',
      notifyReservedConcurrency: 20,
      signType: 'MD5',
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
    await expect(packageService(join(directory, 'local'), 'local')).rejects.toMatchObject({
      stdout: expect.stringContaining('The stage "local"'),
    });
  });
  test('an unknown name is refused with the known ones, and nothing is packaged', async () => {
    const target = join(directory, 'misspelt');
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
