/** What a deployment to mainland China leaves out, because Lambda has it elsewhere only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BEIJING, evaluate, type Json, packageService, type Template } from './cloudformation.ts';

let directory: string;
let template: Template;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'template-'));
  template = await packageService(directory, 'production', { region: 'cn-north-1' });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const propertiesOf = (logicalId: string) => template.Resources[logicalId]?.Properties ?? {};

test('what was given up goes to a queue, for S3 is no destination there', () => {
  const { DestinationConfig } = propertiesOf('PublishEventSourceMapping');

  expect(evaluate(template, BEIJING, DestinationConfig as Json)).toEqual({
    OnFailure: { Destination: 'FailedEventsQueue.Arn' },
  });
  expect(propertiesOf('FailedEventsQueue')).toEqual({ MessageRetentionPeriod: 14 * 86_400 });
  expect(JSON.stringify(template)).not.toContain('FailedEventsBucket"');
  expect(template.Outputs).not.toHaveProperty('FailedEventsBucketName');
  expect(template.Outputs['FailedEventsQueueUrl']?.Value).toEqual({ Ref: 'FailedEventsQueue' });
});

test('publish may send to that queue and to no bucket', () => {
  const policies = evaluate(template, BEIJING, propertiesOf('PublishRole')['Policies'] as Json);
  const statements = (
    policies as unknown as { PolicyDocument: { Statement: { Action: string | string[] }[] } }[]
  ).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

  expect(statements).toContainEqual({
    Effect: 'Allow',
    Action: 'sqs:SendMessage',
    Resource: 'FailedEventsQueue.Arn',
  });
  expect(JSON.stringify(statements)).not.toContain('s3:');
});

test('mappings have no metrics, and the alarm looks at the queue', () => {
  const metrics = JSON.stringify(propertiesOf('EventsFailedAlarm')['Metrics']);

  expect(propertiesOf('PublishEventSourceMapping')).not.toHaveProperty('MetricsConfig');
  expect(metrics).not.toMatch(/DroppedEventCount|OnFailureDestinationDeliveredEventCount/);
  expect(metrics).toContain('ApproximateNumberOfMessagesVisible');
  expect(metrics).toContain('DestinationDeliveryFailures');
});
