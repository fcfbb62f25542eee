import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLE_DEFINITION } from '../../lib/table/schema.ts';
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
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });

  test.each(['Table', 'MiniProgramSecret', 'MerchantSecret'])('%s outlives the stack', (name) => {
    expect(packaged.resource(name)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('the template holds no value of a secret', () => {
    for (const [, { Properties }] of packaged.ofType('AWS::SecretsManager::Secret')) {
      expect(Object.keys(Properties).toSorted()).toEqual(['Description', 'Name']);
    }
  });
});
