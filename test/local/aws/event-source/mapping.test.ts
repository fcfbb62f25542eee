import { describe, expect, it } from 'vitest';
import { parseTemplate, readTemplate } from '../../../../local/aws/template.ts';
import { recordOf } from './records.ts';

const read = (properties: string, functionName = '{ Ref: PublishLambdaFunction }') =>
  parseTemplate(`
functions: { publish: { handler: index.handler }, look: { handler: index.handler } }
resources:
  - Resources: { Table: { Type: AWS::DynamoDB::Table } }
  - Resources:
      Mapping:
        Type: AWS::Lambda::EventSourceMapping
        Properties: { FunctionName: ${functionName}, ${properties.replace(/\s+/g, ' ')} }
`).eventSources;
const readEvent = (stream: string) =>
  parseTemplate(`functions: { publish: { handler: a.b, events: [{ stream: { ${stream} } }] } }`)
    .eventSources;

const DEFAULTS = {
  functionName: 'publish',
  batchSize: 100,
  windowMs: 0,
  retryAttempts: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  bisects: false,
  reportsFailures: false,
  filter: expect.any(Function),
};

const START = 'StartingPosition: TRIM_HORIZON';

describe('the functions on the stream', () => {
  it('of this project: publish, for rows with facts, for 22 hours', () => {
    const [publish, ...others] = readTemplate('serverless.yml').eventSources;
    expect(others).toEqual([]);
    expect(publish).toEqual({
      ...DEFAULTS,
      maxAgeMs: 22 * 3600 * 1000,
      bisects: true,
      reportsFailures: true,
    });
    expect(publish?.filter(recordOf('1'))).toBe(true);
    expect(publish?.filter(recordOf('1', { NewImage: { checks: { N: '3' } } }))).toBe(false);
    expect(publish?.filter({ ...recordOf('1'), eventName: 'REMOVE' })).toBe(false);
  });

  it('are read from resources, with the defaults of Lambda', () => {
    expect(read(START)).toEqual([DEFAULTS]);
    const [all] = read(
      `BatchSize: 7, MaximumBatchingWindowInSeconds: 2, MaximumRetryAttempts: 0,
       MaximumRecordAgeInSeconds: 60, BisectBatchOnFunctionError: true, ParallelizationFactor: 1,
       FunctionResponseTypes: [ReportBatchItemFailures], Enabled: true, TumblingWindowInSeconds: 0`,
    );
    expect(all).toEqual({
      ...DEFAULTS,
      batchSize: 7,
      windowMs: 2000,
      retryAttempts: 0,
      maxAgeMs: 60_000,
      bisects: true,
      reportsFailures: true,
    });
  });

  it.each([
    '!Ref PublishLambdaFunction',
    '!GetAtt PublishLambdaFunction.Arn',
    '{ Fn::GetAtt: [PublishLambdaFunction, Arn] }',
  ])('are named in any form that CloudFormation has: %s', (functionName) => {
    expect(read('', functionName).map((one) => one.functionName)).toEqual(['publish']);
  });

  it("are read from the framework's stream events", () => {
    expect(readEvent('type: dynamodb, arn: !GetAtt Table.StreamArn')).toEqual([DEFAULTS]);
    const [all] = readEvent(
      `type: dynamodb, arn: a, batchSize: 7, batchWindow: 2, maximumRetryAttempts: 3,
       maximumRecordAgeInSeconds: 60, bisectBatchOnFunctionError: true, startingPosition: TRIM_HORIZON,
       functionResponseType: ReportBatchItemFailures, filterPatterns: [{ eventName: [MODIFY] }]`,
    );
    expect(all).toMatchObject({ batchSize: 7, windowMs: 2000, retryAttempts: 3, maxAgeMs: 60_000 });
    expect(all).toMatchObject({ bisects: true, reportsFailures: true });
    expect(all?.filter(recordOf('1'))).toBe(false);
    expect(all?.filter({ ...recordOf('1'), eventName: 'MODIFY' })).toBe(true);
  });

  it('are none when switched off', () => {
    expect(read('Enabled: false')).toEqual([]);
    expect(readEvent('type: dynamodb, arn: a, enabled: false')).toEqual([]);
  });

  it.each([
    ['ParallelizationFactor: 2', 'ParallelizationFactor: 2, not known here'],
    ['TumblingWindowInSeconds: 5', 'TumblingWindowInSeconds: 5, not known here'],
    ['StartingPosition: LATEST', 'StartingPosition: "LATEST", not known here'],
    ['Topics: [a]', 'Topics, not known here'],
    [
      `FilterCriteria: { Filters: [{ Pattern: '{"a":[{"numeric":["<",1]}]}' }] }`,
      'cannot be filtered',
    ],
    [`FilterCriteria: { Filters: [{ Pattern: '{' }] }`, 'cannot be filtered'],
  ])('are refused with %s', (properties, message) => {
    expect(() => read(properties)).toThrow(message);
  });

  it('are refused when the function or the kind of stream is not known', () => {
    expect(() => read('', '{ Ref: OtherLambdaFunction }')).toThrow('Mapping names no function');
    expect(() => readEvent('type: kinesis, arn: a')).toThrow('not of type dynamodb');
  });
});
