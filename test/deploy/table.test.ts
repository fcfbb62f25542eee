import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLE_DEFINITION, TIME_TO_LIVE_ATTRIBUTE } from '../../lib/table/schema.ts';
import { EVENT_SOURCE } from '../../lib/events/events.ts';
import { type Packaged, packageProduction } from './packaged.ts';

let packaged: Packaged;

beforeAll(async () => {
  packaged = await packageProduction();
});

afterAll(() => packaged.remove());

describe('data', () => {
  test('the table is the one of lib/table/schema.ts', () => {
    const { StreamSpecification, ...definition } = TABLE_DEFINITION;

    expect(packaged.resource('Table').Properties).toEqual({
      ...definition,
      // CloudFormation has no StreamEnabled: naming the view type turns the stream on.
      StreamSpecification: { StreamViewType: StreamSpecification.StreamViewType },
      TimeToLiveSpecification: { AttributeName: TIME_TO_LIVE_ATTRIBUTE, Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });

  const KEPT = [
    'Table',
    'MiniProgramSecret',
    'MerchantSecret',
    'FailedEventsBucket',
    'FailedEventsBucketPolicy',
  ];

  // A first deployment that fails takes them away: the names of the secrets are free for the next.
  test.each(KEPT)('%s outlives the stack, but not the failure that made it', (name) => {
    expect(packaged.resource(name)).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('what could not be published is encrypted, closed to the public and not kept for ever', () => {
    expect(packaged.resource('FailedEventsBucket').Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: { Rules: [{ Status: 'Enabled', ExpirationInDays: 90 }] },
    });
  });

  test("the bus is the stage's own, and keeps its own events for a replay", () => {
    expect(packaged.resource('EventBus').Properties).toEqual({
      Name: 'wechatpay-serverless-production',
    });
    expect(packaged.resource('EventArchive').Properties).toEqual({
      SourceArn: { 'Fn::GetAtt': ['EventBus', 'Arn'] },
      EventPattern: { source: [EVENT_SOURCE] },
      RetentionDays: 90,
    });
  });

  test('the template holds no value of a secret', () => {
    for (const [, { Properties }] of packaged.ofType('AWS::SecretsManager::Secret')) {
      expect(Object.keys(Properties).toSorted()).toEqual(['Description', 'Name']);
    }
  });
});
