/** What DynamoDB may leave out, cut into pages or refuse, and the embedded engine seldom does. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { listCarried } from '../../lib/table/bill-crossings.ts';
import { keepDifference, resolveGone } from '../../lib/table/bill-differences.ts';
import { countOpenOrders } from '../../lib/table/buyer-orders.ts';
import type { Table } from '../../lib/table/client.ts';
import { markUnsettled } from '../../lib/table/unsettled.ts';

/** A table that gives these answers, one after the other; an error is thrown. */
function answering(...answers: unknown[]): Table {
  const send = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  };
  return { client: { send }, tableName: 'orders' } as unknown as Table;
}

const refusal = () =>
  new ConditionalCheckFailedException({ $metadata: {}, message: 'The conditional request failed' });

test('no count of a buyer’s open orders is none', async () => {
  const buyer = { appid: 'wx8888888888888888', openid: 'o-1' };

  expect(await countOpenOrders(answering({}), buyer, 0)).toBe(0);
});

test('a page without rows is followed by the next one', async () => {
  const table = answering({ LastEvaluatedKey: {} }, { Items: [{ name: { S: 'payment 1' } }] });

  expect([...(await listCarried(table, '2026-03-01'))]).toEqual(['payment 1']);
});

test('an order without a place in the index is given up by nobody', async () => {
  const read = { merchantKey: '', outTradeNo: 'order-0001', nextCheckAtEpochSeconds: undefined };

  expect(await markUnsettled(answering(refusal()), read, 'PAYERROR', 0)).toBe('refused');
});

test('a difference that changes under every attempt to keep it is a failure', async () => {
  const run = { date: '2026-03-01', runId: 'run-1', nowEpochSeconds: 0 };
  const difference = {
    kind: 'MISSING_HERE' as const,
    subject: 'payment' as const,
    key: '4200000001',
    outTradeNo: 'order-0001',
    hereFen: undefined,
    thereFen: 2800,
  };
  const table = answering(...Array.from({ length: 4 }, refusal));

  await expect(keepDifference(table, run, difference)).rejects.toThrow('under every attempt');
});

test('a difference that somebody explains meanwhile is not resolved as well', async () => {
  const run = { date: '2026-03-01', runId: 'run-2', nowEpochSeconds: 0 };
  const row = {
    PK: { S: 'BILL#2026-03-01' },
    SK: { S: 'DIFFERENCE#MISSING_HERE#payment#4200000001' },
    state: { S: 'OPEN' },
    runId: { S: 'run-1' },
  };

  expect(await resolveGone(answering({ Items: [row] }, refusal()), run)).toBe(0);
  expect(await resolveGone(answering({ Items: [row] }, {}), run)).toBe(1);
});
