/** Messages that are verified, and whose content was made to break what is done with it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { publishRecords } from '../../lib/publish/publish.ts';
import type { Table } from '../../lib/table/client.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop } from '../support/notified-shop.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { notificationXml } from '../support/v2-message.ts';
import { refundXml } from '../support/v2-refund.ts';
import { v3Double } from '../support/v3-double.ts';
import { refund, transaction, v3Merchant, v3Notification } from '../support/v3-message.ts';

const emptyTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await emptyTable();
});

const NOT_NUMBERS = [
  'tea#order-0001',
  'a b',
  'a\nb',
  '单号',
  '{"a":1}',
  '../..',
  'x'.repeat(65),
  'a.1',
] as const;

async function openShop(order: Parameters<typeof openNotifiedShop>[1] = {}) {
  const { wechatPay } = v3Double(() => ({ status: 404, json: { code: 'X', message: '' } }), {
    merchant: secretVersions(v3Merchant()),
  });
  return openNotifiedShop(table, { ...order, v3: wechatPay });
}

describe.each(NOT_NUMBERS)('a number %j in a verified message', (number) => {
  const v2Fields = [{ out_trade_no: number }, { transaction_id: number }];
  const v2Refunds = [...v2Fields, { out_refund_no: number }, { refund_id: number }];

  test('of a payment makes no row and no fact, in either version', async () => {
    const shop = await openShop();
    const before = await allRows(table);
    for (const fields of v2Fields) {
      expect(await shop.deliver(notificationXml(fields))).toMatchObject({ statusCode: 400 });
      const { headers, body } = v3Notification({ content: transaction(fields) });
      const answer = await shop.deliver(body.toString(), headers, false, '/notify/v3');
      expect(answer).toMatchObject({ statusCode: 400 });
    }
    expect(await allRows(table)).toEqual(before);
  });

  test('of a refund neither', async () => {
    const shop = await openShop();
    const before = await allRows(table);
    for (const fields of v2Refunds) {
      const answer = await shop.deliver(refundXml(fields), {}, false, '/notify/v2/refund');
      expect(answer).toMatchObject({ statusCode: 400 });
      const message = v3Notification({ content: refund(fields), eventType: 'REFUND.SUCCESS' });
      const signed = [message.body.toString(), message.headers, false, '/notify/v3'] as const;
      expect(await shop.deliver(...signed)).toMatchObject({ statusCode: 400 });
    }
    expect(await allRows(table)).toEqual(before);
  });
});

/** What is told and archived of the table's rows as they are. */
async function published() {
  const entries: { Detail?: string }[] = [];
  const log = recordingLog();
  const rows = await allRows(table);
  const answer = await publishRecords(
    rows.map((NewImage, n) => ({ dynamodb: { SequenceNumber: String(n), NewImage } as object })),
    {
      table,
      events: {
        send: async ({ input }: { input: { Entries: { Detail?: string }[] } }) => {
          entries.push(...input.Entries);
          return { FailedEntryCount: 0, Entries: [] };
        },
      } as never,
      eventBusName: 'bus',
      notificationRetentionDays: 90,
      log,
      remainingMs: () => 60_000,
    },
  );
  const details = entries.map(({ Detail }) => JSON.parse(String(Detail)) as object);
  return { answer, details, log, text: JSON.stringify(await allRows(table)) };
}

describe('a payment of an order', () => {
  test.each<[string, object]>([
    ['a bank of 30,000 characters', { bank_type: 'x'.repeat(30_000) }],
    ['an attach of 30,000 characters', { attach: '好'.repeat(10_000) }],
  ])('with %s is recorded, told and archived', async (_name, fields) => {
    const shop = await openShop();
    expect(await shop.deliver(notificationXml(fields as Record<string, string>))).toMatchObject({
      statusCode: 200,
    });
    const { answer, details } = await published();

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(details).toMatchObject([{ eventId: 'order-0001.1' }]);
    expect(JSON.stringify(details).length).toBeLessThan(1_000);
    expect((await allRows(table)).map(({ SK }) => SK?.S?.split('#')[0])).toEqual([
      'NOTIFICATION',
      'ORDER',
    ]);
  });

  test('with everything that JSON can hold is recorded, told and archived', async () => {
    const content = JSON.stringify(
      transaction({ attach: '\u0000\ud800</script>\u2028#', bank_type: { a: 1 }, extra: [[[]]] }),
    ).replace('{', '{"__proto__":{"trade_state":"SUCCESS","polluted":1},');
    const shop = await openShop({ order: { apiVersion: 'v3' } });
    const { headers, body } = v3Notification({
      content: JSON.parse(content) as object,
      envelope: { id: `EV-${'9'.repeat(2_000)}`, summary: { deep: true } },
    });
    const delivered = await shop.deliver(body.toString(), headers, false, '/notify/v3');
    expect(delivered.statusCode).toBe(200);
    const { answer, details } = await published();

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(details).toMatchObject([{ eventId: 'order-0001.1' }]);
    const archived = (await allRows(table)).find(({ SK }) => SK?.S?.startsWith('NOTIFICATION#'));
    expect(archived?.['SK']?.S?.length).toBeLessThan(100);
    expect(JSON.parse(String(archived?.['message']?.S))).toMatchObject({
      resource: { out_trade_no: 'order-0001', attach: expect.stringContaining('</script>') },
    });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('of 20 contradictions of 60,000 characters leaves room for the payment itself', async () => {
    const shop = await openShop();
    for (let n = 0; n < 20; n += 1) {
      const fee_type = `${String.fromCodePoint(65 + n)}${'好'.repeat(19_000)}`;
      await shop.deliver(notificationXml({ fee_type }));
    }
    expect(await shop.deliver(notificationXml())).toMatchObject({ statusCode: 200 });
    const { answer, details, log } = await published();

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(details).toHaveLength(21);
    expect(log.counts).toEqual({ TransactionMismatch: 20 });
  });
});

test('what stands around an encrypted refund, which nobody has proved, is not kept', async () => {
  const shop = await openShop({ transport: () => Promise.reject(new Error('nobody')) });
  await shop.deliver(notificationXml());
  // Of a refund without a row, the order's own word is needed first.
  const words = { refund_status: 'CHANGE' };
  const delivered = await shop.deliver(
    refundXml(words, { return_msg: 'FORGED', attach: 'FORGED', sub_mch_id: 'FORGED' }),
    {},
    false,
    '/notify/v2/refund',
  );
  expect(delivered.statusCode).toBe(200);
  const { text } = await published();

  expect(text).toContain('CHANGE');
  expect(text).not.toContain('FORGED');
});

test('times of nothing real are contradictions and no crash', async () => {
  const shop = await openShop({ order: { createdAtEpochSeconds: CREATED_AT } });
  for (const time_end of ['99991231235959', '00000000000000', 'x', '20260231000000']) {
    const { statusCode } = await shop.deliver(notificationXml({ time_end }));
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(statusCode).toBeLessThan(600);
  }
  const { details, answer } = await published();
  expect(answer).toEqual({ batchItemFailures: [] });
  expect(details.map((detail) => (detail as { field?: string }).field)).toEqual(
    details.map(() => 'paidAt'),
  );
  expect(details.length).toBeGreaterThan(0);
});
