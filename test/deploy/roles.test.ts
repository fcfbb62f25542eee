import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY_INDEX, OPEN_ORDERS_INDEX } from '../../lib/table/schema.ts';
import { archivedNotification } from '../../lib/table/notifications.ts';
import { listProjectFiles, readProjectFile } from '../repo/project.ts';
import { notificationOf, paidOrderRow } from '../support/fact-rows.ts';
import { BEIJING, evaluate, SINGAPORE } from './cloudformation.ts';
import { FUNCTIONS, logicalIdOf, type Packaged, packageProduction } from './packaged.ts';

let packaged: Packaged;

beforeAll(async () => {
  packaged = await packageProduction();
});

afterAll(() => packaged.remove());

const PLACES = [SINGAPORE, BEIJING];

describe('both partitions', () => {
  test('the template names no partition and no domain of AWS', () => {
    expect(JSON.stringify(packaged.template)).not.toMatch(/arn:aws|amazonaws/);
    for (const path of listProjectFiles('serverless.yml', 'deploy/*.yml')) {
      expect(readProjectFile(path), path).not.toMatch(/arn:aws|amazonaws/);
    }
  });

  test.each(PLACES)('service principals are the same names in $AWS::Region', (place) => {
    const principals = [
      ...packaged
        .ofType('AWS::IAM::Role')
        .map(([, { Properties }]) => Properties['AssumeRolePolicyDocument']),
      ...packaged
        .ofType('AWS::Lambda::Permission')
        .map(([, { Properties }]) => Properties['Principal']),
    ].map((value) => JSON.stringify(evaluate(packaged.template, place, value ?? null)));
    const names = principals.map((text) => /"([a-z]+\.amazonaws[^"]*)"/.exec(text)?.[1]);

    expect(new Set(names)).toEqual(
      new Set(['lambda.amazonaws.com', 'apigateway.amazonaws.com', 'events.amazonaws.com']),
    );
    // Each has a role, and each but publish, which reads its stream itself, is invoked by somebody.
    expect(names).toHaveLength(FUNCTIONS.length * 2 - 1);
  });

  test('the public base URL has the domain of its partition', () => {
    const urls = PLACES.map((place) => packaged.environmentOf('prepay', place)['PUBLIC_BASE_URL']);

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
      packaged.template,
      SINGAPORE,
      packaged.resource(logicalId).Properties['Policies'] ?? null,
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
        'dynamodb:Query on Table.Arn/index/GSI2',
      ],
    ],
    [
      'Notify',
      [
        readMerchant,
        'dynamodb:BatchGetItem on Table.Arn',
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
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
      'Close',
      [
        readMiniProgram,
        readMerchant,
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
    [
      'Refund',
      [
        readMerchant,
        'dynamodb:BatchGetItem on Table.Arn',
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:PutItem on Table.Arn',
        'dynamodb:Query on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
    [
      'Reconcile',
      [
        readMerchant,
        `dynamodb:Query on Table.Arn/index/${OPEN_ORDERS_INDEX}`,
        'dynamodb:BatchGetItem on Table.Arn',
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:PutItem on Table.Arn',
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
    [
      'Bill',
      [
        readMerchant,
        readMiniProgram,
        'dynamodb:BatchGetItem on Table.Arn',
        'dynamodb:DeleteItem on Table.Arn',
        'dynamodb:GetItem on Table.Arn',
        'dynamodb:PutItem on Table.Arn',
        'dynamodb:Query on Table.Arn',
        `dynamodb:Query on Table.Arn/index/${DAY_INDEX}`,
        'dynamodb:UpdateItem on Table.Arn',
      ],
    ],
    [
      'Publish',
      [
        'dynamodb:DescribeStream on Table.StreamArn',
        'dynamodb:GetRecords on Table.StreamArn',
        'dynamodb:GetShardIterator on Table.StreamArn',
        'dynamodb:ListStreams on Table.StreamArn',
        'dynamodb:PutItem on Table.Arn',
        'events:PutEvents on EventBus.Arn',
        's3:ListBucket on FailedEventsBucket.Arn',
        's3:PutObject on FailedEventsBucket.Arn/*',
      ],
    ],
  ])('%s may do exactly what it does', (name, grants) => {
    expect(grantsOf(`${name}Role`)).toEqual([...grants, ...logging(name)].toSorted());
  });

  test('every function has its own role and every role its function', () => {
    const roles = FUNCTIONS.map((name) => packaged.functionProperties(name)['Role']);

    expect(roles).toEqual(
      FUNCTIONS.map((name) => ({ 'Fn::GetAtt': [`${logicalIdOf(name)}Role`, 'Arn'] })),
    );
    expect(packaged.ofType('AWS::IAM::Role')).toHaveLength(FUNCTIONS.length);
  });

  test.each(PLACES)(
    'whoever refunds in $AWS::Region may be given the right to do that and no more',
    (place) => {
      const policies = packaged.ofType('AWS::IAM::ManagedPolicy').map(([, { Properties }]) => {
        return evaluate(packaged.template, place, Properties['PolicyDocument'] ?? null);
      });
      const { 'AWS::Partition': partition, 'AWS::Region': region } = place;
      const api = `arn:${partition}:execute-api:${region}:123456789012:HttpApi/$default`;
      const protectedRoutes = packaged
        .ofType('AWS::ApiGatewayV2::Route')
        .filter(([, { Properties }]) => Properties['AuthorizationType'] === 'AWS_IAM')
        .map(([, { Properties }]) => {
          const [method, path = ''] = (Properties['RouteKey'] as string).split(' ');
          return `${api}/${method}${path.replaceAll(/\{\w+\}/g, '*')}`;
        });

      expect(policies).toEqual([
        {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: expect.any(Array) },
          ],
        },
      ]);
      expect(policies).toMatchObject([
        { Statement: [{ Resource: expect.arrayContaining(protectedRoutes) }] },
      ]);
      expect(JSON.stringify(policies).match(/arn:/g)).toHaveLength(protectedRoutes.length);
      expect(packaged.template.Outputs['RefundCallerPolicyArn']?.Value).toEqual({
        Ref: 'RefundCallerPolicy',
      });
    },
  );

  test('no role is allowed anything with a wildcard, and no role has a policy from outside', () => {
    const statements = packaged.ofType('AWS::IAM::Role').flatMap(([id]) => statementsOf(id));
    const wide = statements.filter(({ Action, Resource }) =>
      JSON.stringify([Action, Resource]).includes('*'),
    );

    // Of an object that Lambda writes, nobody knows the name before.
    expect(wide).toEqual([
      { Effect: 'Allow', Action: 's3:PutObject', Resource: 'FailedEventsBucket.Arn/*' },
    ]);
    expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true);
    expect(packaged.ofType('AWS::IAM::Policy')).toEqual([]);
    for (const [, { Properties }] of packaged.ofType('AWS::IAM::Role')) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  test('publish puts rows of the archive into the table, with their attributes and no other', () => {
    const put = statementsOf('PublishRole').find(({ Action }) => Action === 'dynamodb:PutItem');
    const row = archivedNotification(
      { ...paidOrderRow(), notification: notificationOf() },
      undefined,
      90,
    );

    expect(put).toMatchObject({
      Condition: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['ORDER#*', 'UNKNOWN#*'] },
        // Both are there, or else a set of nothing would do.
        Null: { 'dynamodb:LeadingKeys': false, 'dynamodb:Attributes': false },
      },
    });
    const { Condition } = put as unknown as { Condition: Record<string, Record<string, string[]>> };
    const allowed = Condition['ForAllValues:StringEquals']?.['dynamodb:Attributes'] ?? [];
    expect(allowed.toSorted()).toEqual([...Object.keys(row ?? {}), 'messageBytes'].toSorted());
    expect(allowed).not.toContain('tradeState');
  });

  test('the only policies on buckets deny what is not encrypted in transit', () => {
    const policies = packaged
      .ofType('AWS::S3::BucketPolicy')
      .map(([, { Properties }]) => Properties);

    // The framework's own for the code, and the one for what could not be published.
    expect(policies).toHaveLength(2);
    for (const policy of policies) {
      expect(policy).toMatchObject({
        PolicyDocument: {
          Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': false } } }],
        },
      });
    }
  });

  test('only this API and this schedule may invoke the functions', () => {
    const sources = packaged
      .ofType('AWS::Lambda::Permission')
      .map(([id, { Properties }]) => [
        id,
        evaluate(packaged.template, SINGAPORE, Properties['SourceArn'] ?? null),
      ]);
    const api = 'arn:aws:execute-api:ap-southeast-1:123456789012:HttpApi/*';

    expect(Object.fromEntries(sources)).toEqual({
      LoginLambdaPermissionHttpApi: api,
      PrepayLambdaPermissionHttpApi: api,
      NotifyLambdaPermissionHttpApi: api,
      QueryLambdaPermissionHttpApi: api,
      CloseLambdaPermissionHttpApi: api,
      RefundLambdaPermissionHttpApi: api,
      ReconcileLambdaPermissionEventsRuleSchedule1: 'ReconcileEventsRuleSchedule1.Arn',
      BillLambdaPermissionEventsRuleSchedule1: 'BillEventsRuleSchedule1.Arn',
    });
  });
});
