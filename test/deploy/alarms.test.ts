import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from '../repo/project.ts';
import { evaluate, type Json, type Resource, SINGAPORE } from './cloudformation.ts';
import { FUNCTIONS, logicalIdOf, type Packaged, packageProduction } from './packaged.ts';

let packaged: Packaged;

beforeAll(async () => {
  packaged = await packageProduction();
});

afterAll(() => packaged.remove());

describe('alarms', () => {
  const metricsOf = ({ Properties }: Resource) => {
    const metrics = (Properties['Metrics'] ?? []) as { MetricStat?: { Metric: Json } }[];
    return [
      ...(Properties['MetricName'] === undefined ? [] : [Properties]),
      ...metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : [])),
    ].map((metric) => evaluate(packaged.template, SINGAPORE, metric)) as {
      Namespace: string;
      MetricName: string;
      Dimensions: { Name: string; Value: string }[];
    }[];
  };

  test('each says what to do and is sent to the topic', () => {
    for (const [, { Properties }] of packaged.ofType('AWS::CloudWatch::Alarm')) {
      expect(Properties['AlarmDescription']).toMatch(/^.{60,}[.?]$/);
      expect(Properties['AlarmActions']).toEqual([{ Ref: 'AlarmTopic' }]);
    }
  });

  test('those on our own metrics name metrics that the code counts', () => {
    const code = listProjectFiles('lib/**/*.ts', 'functions/*.ts')
      .filter((path) => path !== 'lib/runtime/log.ts')
      .map(readProjectFile)
      .join('\n');
    const own = packaged
      .ofType('AWS::CloudWatch::Alarm')
      .flatMap(([, alarm]) => metricsOf(alarm))
      .filter(({ Namespace }) => !Namespace.startsWith('AWS/'));

    const names = own.map(({ MetricName }) => MetricName);
    expect(names.toSorted()).toEqual([
      'BillDifference',
      'BillNotReady',
      'ConfigError',
      'EventUnreadable',
      'MerchantCertificateDaysLeft',
      'OrderUnreadable',
      'OrderUnsettled',
      'PaymentAfterClose',
      'PaymentFoundByReconcile',
      'ReconcileBacklog',
      'ReconcileOldestDueSeconds',
      'ReconcileOrderFailed',
      'ReconcileTimeRanOut',
      'ReconcileWechatSilent',
      'RefundAbnormal',
      'RefundMismatch',
      'RefundOverdue',
      'RefundWaitsForBalance',
      'SignatureRejected',
      'TransactionMismatch',
      'UnknownOrderNotified',
      'WechatPayRefused',
    ]);
    expect(names.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
    const environment = packaged.environmentOf('notify');
    for (const { Namespace, Dimensions } of own) {
      expect(Namespace).toBe(environment['POWERTOOLS_METRICS_NAMESPACE']);
      expect(Dimensions).toEqual([
        { Name: 'service', Value: environment['POWERTOOLS_SERVICE_NAME'] },
      ]);
    }
  });

  test('those on the functions watch notify, reconcile, bill, publish and the throttling of all', () => {
    const watched = packaged
      .ofType('AWS::CloudWatch::Alarm')
      .flatMap(([, alarm]) => metricsOf(alarm))
      .filter(({ Namespace }) => Namespace === 'AWS/Lambda')
      .map(({ MetricName, Dimensions }) => `${MetricName} of ${Dimensions[0]?.Value}`);

    expect(watched.toSorted()).toEqual(
      [
        'DestinationDeliveryFailures of PublishLambdaFunction',
        'DroppedEventCount of PublishEventSourceMapping',
        'Duration of NotifyLambdaFunction',
        'Errors of BillLambdaFunction',
        'Errors of NotifyLambdaFunction',
        'Errors of PublishLambdaFunction',
        'Errors of ReconcileLambdaFunction',
        'Invocations of ReconcileLambdaFunction',
        'IteratorAge of PublishLambdaFunction',
        'OnFailureDestinationDeliveredEventCount of PublishEventSourceMapping',
        ...FUNCTIONS.map((name) => `Throttles of ${logicalIdOf(name)}LambdaFunction`),
      ].toSorted(),
    );
  });

  test('events that are an hour late are an alarm, long before they are given up', () => {
    const { Threshold } = packaged.resource('EventsLateAlarm').Properties as { Threshold: number };
    const mapping = packaged.resource('PublishEventSourceMapping').Properties;

    expect(packaged.resource('EventsLateAlarm').Properties).toMatchObject({
      MetricName: 'IteratorAge',
      Statistic: 'Maximum',
      Threshold: 3_600_000,
    });
    expect(Threshold * 2).toBeLessThan(Number(mapping['MaximumRecordAgeInSeconds']) * 1000);
  });

  test('a reconcile that does not run at all is an alarm', () => {
    expect(packaged.resource('ReconcileStoppedAlarm').Properties).toMatchObject({
      MetricName: 'Invocations',
      Period: 600,
      EvaluationPeriods: 1,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });
});
