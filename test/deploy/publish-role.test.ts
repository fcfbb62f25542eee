/** What IAM lets publish do with the table, judged by a simulator of IAM. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { archivedNotification } from '../../lib/table/notifications.ts';
import { readProjectFile } from '../repo/project.ts';
import { notificationOf, paidOrderRow, unknownPaymentRow } from '../support/fact-rows.ts';

const TABLE = 'arn:aws:dynamodb:ap-southeast-1:123456789012:table/orders';
const ARNS: Readonly<Record<string, string>> = {
  'Table.Arn': TABLE,
  'Table.StreamArn': `${TABLE}/stream/2026-03-01T00:00:00.000`,
  'EventBus.Arn': 'arn:aws:events:ap-southeast-1:123456789012:event-bus/stage',
  'FailedEventsBucket.Arn': 'arn:aws:s3:::failed',
  'PublishLogGroup.Arn': 'arn:aws:logs:ap-southeast-1:123456789012:log-group:publish',
};

/** A policy as it is deployed: names of resources become ARNs. */
const policy = JSON.parse(
  JSON.stringify(
    parse(readProjectFile('deploy/events.yml')).Resources.PublishRole.Properties.Policies[0]
      .PolicyDocument,
  )
    .replaceAll(
      /\{"Fn::GetAtt":\["(\w+)","(\w+)"\]\}/g,
      (_, id, name) => `"${ARNS[`${id}.${name}`]}"`,
    )
    .replaceAll(
      /\{"Fn::Sub":"\$\{([\w.]+)\}([^"]*)"\}/g,
      (_, name, rest) => `"${ARNS[name]}${rest}"`,
    ),
) as object;

async function judge(
  action: string,
  resource: string,
  contextVariables: Record<string, string | string[]> = {},
) {
  const accountId = '123456789012';
  const outcome = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${accountId}:role/publish`,
        action,
        resource: { resource, accountId },
        contextVariables,
      },
      identityPolicies: [{ name: 'publish', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: undefined,
    },
    {},
  );
  expect(outcome.resultType).toBe('single');
  return outcome.resultType === 'single' ? outcome.result.analysis.result : outcome.resultType;
}

const put = (leadingKey: string, attributes: readonly string[]) =>
  judge('dynamodb:PutItem', TABLE, {
    'dynamodb:LeadingKeys': [leadingKey],
    'dynamodb:Attributes': [...attributes],
  });

test.each([
  ['an order', paidOrderRow({ notification: notificationOf() })],
  ['a payment of no order', unknownPaymentRow({ notification: notificationOf() })],
])('a notification is put beside %s', async (_, row) => {
  const archived = archivedNotification(row, undefined, 90) ?? {};

  expect(await put(String(archived['PK']?.S), Object.keys(archived))).toBe('Allowed');
});

test.each([
  ['an order that is paid', 'ORDER#order-0001', ['PK', 'SK', 'tradeState', 'transactionId']],
  ['a price', 'PRODUCT#latte', ['PK', 'SK', 'message']],
  ['a balance', 'BALANCE', ['PK', 'SK']],
])('%s is not', async (_, key, attributes) => {
  expect(await put(key, attributes)).toBe('ImplicitlyDenied');
});

test('a write that does not say what it writes is not allowed', async () => {
  expect(await judge('dynamodb:PutItem', TABLE)).toBe('ImplicitlyDenied');
});

test.each(['GetItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'])(
  'dynamodb:%s is not allowed',
  async (operation) => {
    const keys = { 'dynamodb:LeadingKeys': ['ORDER#order-0001'], 'dynamodb:Attributes': ['PK'] };

    expect(await judge(`dynamodb:${operation}`, TABLE, keys)).toBe('ImplicitlyDenied');
  },
);

test.each([
  ['the stage', ARNS['EventBus.Arn'] ?? '', 'Allowed'],
  ['another stage', `${ARNS['EventBus.Arn']}-2`, 'ImplicitlyDenied'],
  [
    'the account',
    'arn:aws:events:ap-southeast-1:123456789012:event-bus/default',
    'ImplicitlyDenied',
  ],
])('events to the bus of %s', async (_, bus, result) => {
  expect(await judge('events:PutEvents', bus)).toBe(result);
});
