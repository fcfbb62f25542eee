import { beforeEach, describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError } from '../../lib/errors.ts';
import { applyRedrive, type KeptNotification, planRedrive } from '../../lib/evidence/redrive.ts';
import { recordEvidence } from '../../lib/evidence/record.ts';
import { confirmRefund, type RefundNotification } from '../../lib/evidence/refund-notice.ts';
import type { ApiVersion } from '../../lib/order/parties.ts';
import type { PaymentEvidence } from '../../lib/order/transition.ts';
import type { RefundEvidence } from '../../lib/refund/refund.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import type { ParsedNotification, QueryResult } from '../../lib/wechatpay/operations.ts';
import type { RefundQueryResult } from '../../lib/wechatpay/refund-results.ts';
import { RefundMismatchError } from '../../lib/wechatpay/refund-settlement.ts';
import { VERSIONS } from '../contract/wechat-pay.ts';
import { allRows, putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { carriedIn, factTypesOf } from '../support/facts-of.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import {
  ASKED_AT,
  OUT_REFUND_NO,
  refundEvidence,
  sampleRefund,
} from '../support/sample-refunds.ts';
import { encryptRefund, refundXml } from '../support/v2-refund.ts';
import { refund as refundOfV3, v3Notification } from '../support/v3-message.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW_MS = (CREATED_AT + 3600) * 1000;
const ORDER = 'ORDER#order-0001';
const REFUND = `REFUND#${OUT_REFUND_NO}`;

interface Words {
  readonly order?: QueryResult;
  readonly refund?: RefundQueryResult | Error;
}

/** Whoever redrives; WeChat answers with these words and else is asked nothing. */
function operator(words: Words = {}, on: Table = table) {
  const answer = async <T>(word: T | Error | undefined): Promise<T> => {
    if (word === undefined || word instanceof Error) {
      throw word ?? new Error('nobody is asked');
    }
    return word;
  };
  return {
    table: on,
    log: recordingLog(),
    nowMs: () => NOW_MS,
    paymentAfterClose: 'keep' as const,
    wechatPay: () => ({
      queryOrder: () => answer(words.order),
      queryRefund: () => answer(words.refund),
    }),
  };
}

/** What a row has kept of its message. */
function keptOn(row: Row | undefined): KeptNotification {
  const { apiVersion, message } = carriedIn(row) ?? {};
  return { merchantKey: '', apiVersion: apiVersion as ApiVersion, content: String(message) };
}

const kept = async (SK = 'ORDER') => keptOn(await rowOf(table, ORDER, SK));

/** A message as `notify` receives it. */
function receive(version: (typeof VERSIONS)[number], kind: 'payment' | 'refund') {
  const { wechatPay } = version.open({ kind: 'closed' });
  return wechatPay.parseNotification(version.notification({ kind }));
}

const received = ({ message, kind }: ParsedNotification, apiVersion: ApiVersion) => ({
  ...message,
  kind,
  apiVersion,
  receivedAtMs: (CREATED_AT + 60) * 1000,
});

describe.each(VERSIONS)('a payment of API $name', (version) => {
  const apiVersion = version.name;

  /** `notify` of a version that reads a message wrongly. */
  async function notifyWith(bug: (payment: PaymentEvidence) => PaymentEvidence) {
    const notification = await receive(version, 'payment');
    const payment = bug((notification as { readonly payment: PaymentEvidence }).payment);
    const context = { ...operator(), notification: received(notification, apiVersion) };
    return recordEvidence(context, orderId(), { kind: 'paid', refunded: false, payment });
  }

  test('that a bug took for a contradiction is shown as what it is, and then recorded', async () => {
    await createOrder(table, sampleOrder({ apiVersion }));
    const inYuan = await notifyWith((payment) => ({ ...payment, totalFen: 28 }));
    expect(inYuan).toMatchObject({ kind: 'mismatch', field: 'totalFen', observed: 28 });
    const before = await allRows(table);
    const message = await kept();

    expect(await planRedrive(operator(), message)).toEqual({
      outTradeNo: 'order-0001',
      state: 'NOTPAY',
      decision: 'apply',
      to: 'SUCCESS',
    });
    expect(await allRows(table)).toEqual(before);

    expect(await applyRedrive(operator(), message)).toMatchObject({ kind: 'apply', to: 'SUCCESS' });
    expect(await readOrder(table, orderId())).toMatchObject({
      tradeState: 'SUCCESS',
      paidAtEpochSeconds: samplePayment().paidAtEpochSeconds,
    });
    expect(await factTypesOf(table)).toEqual(['MISMATCH', 'PAID']);
    expect(await planRedrive(operator(), message)).toMatchObject({ decision: 'duplicate' });
    expect(await applyRedrive(operator(), message)).toEqual({ kind: 'duplicate' });
    expect(await factTypesOf(table)).toEqual(['MISMATCH', 'PAID']);
  });

  test('that came while its order was not here pays it once it is', async () => {
    expect(await notifyWith((payment) => payment)).toEqual({ kind: 'unknown-order' });
    const [unknown] = await allRows(table);
    const message = keptOn(unknown);
    expect(await planRedrive(operator(), message)).toEqual({
      outTradeNo: 'order-0001',
      state: undefined,
      decision: 'unknown-order',
    });
    expect(await applyRedrive(operator(), message)).toEqual({ kind: 'unknown-order' });

    await createOrder(table, sampleOrder({ apiVersion }));
    expect(await planRedrive(operator(), message)).toMatchObject({ decision: 'apply' });
    await applyRedrive(operator(), message);
    expect(await readOrder(table, orderId())).toMatchObject({ tradeState: 'SUCCESS' });
  });

  test('that contradicts its order still, says in what', async () => {
    await createOrder(table, sampleOrder({ apiVersion, totalFen: 2900 }));
    await notifyWith((payment) => payment);

    expect(await planRedrive(operator(), await kept())).toEqual({
      outTradeNo: 'order-0001',
      state: 'NOTPAY',
      decision: 'mismatch',
      mismatch: { field: 'totalFen', expected: 2900, observed: 2800 },
    });
    const facts = await factTypesOf(table);
    expect(await applyRedrive(operator(), await kept())).toMatchObject({ kind: 'mismatch' });
    expect(await factTypesOf(table)).toEqual(facts);
  });

  test('of another merchant pays nobody’s order', async () => {
    const mchid = '1900000999';
    await createOrder(table, sampleOrder({ apiVersion, mchid }));
    const { message } = await receive(version, 'payment');
    const foreign = { merchantKey: '', apiVersion, content: message.content };

    expect(await planRedrive(operator(), foreign)).toMatchObject({
      decision: 'mismatch',
      mismatch: { field: 'mchid', expected: mchid, observed: samplePayment().mchid },
    });
    expect(await applyRedrive(operator(), foreign)).toMatchObject({ kind: 'mismatch' });
    expect(await readOrder(table, orderId())).toMatchObject({ tradeState: 'NOTPAY' });
    expect(await factTypesOf(table)).toEqual(['MISMATCH']);
  });

  test('takes no refund back, and no damaged row stops it', async () => {
    await createOrder(table, sampleOrder({ apiVersion }));
    await notifyWith((payment) => payment);
    const message = await kept();
    const refunded = { kind: 'paid', refunded: true, payment: samplePayment() } as const;
    await applyEvidence(table, orderId(), refunded, CREATED_AT + 90);
    await putRow(table, { ...(await rowOf(table, ORDER)), items: { S: 'damaged' } });
    const before = await allRows(table);

    expect(await planRedrive(operator(), message)).toMatchObject({
      state: 'REFUND',
      decision: 'duplicate',
    });
    expect(await applyRedrive(operator(), message)).toEqual({ kind: 'duplicate' });
    expect(await allRows(table)).toEqual(before);
  });

  test('that today’s code cannot read is said to be so', async () => {
    const message = { merchantKey: '', apiVersion, content: '{}' };

    await expect(planRedrive(operator(), message)).rejects.toThrow(WechatPayMalformedMessageError);
    await expect(applyRedrive(operator(), message)).rejects.toThrow(WechatPayMalformedMessageError);
  });
});

describe.each(VERSIONS)('a refund of API $name', (version) => {
  const isSigned = version.name === 'v3';
  const SUCCESS = refundEvidence({ status: 'SUCCESS' });
  const found = (refund: RefundEvidence) => ({ refund: { kind: 'found', refund } }) as const;
  /** v2's message is a hint: WeChat is asked. v3's is signed. */
  const words: Words = isSigned ? {} : found(SUCCESS);

  async function message(status: string = 'SUCCESS'): Promise<KeptNotification> {
    const { wechatPay } = version.open({ kind: 'closed' });
    const { message: parsed } = await wechatPay.parseNotification(
      isSigned
        ? v3Notification({
            content: refundOfV3({ refund_status: status }),
            eventType: `REFUND.${status}`,
          })
        : {
            headers: {},
            body: Buffer.from(
              refundXml({}, { req_info: encryptRefund({ refund_status: status }) }),
            ),
          },
    );
    return { merchantKey: '', apiVersion: version.name, content: parsed.content };
  }

  async function reserved(refundFen = 800) {
    await givePaidOrder(table, { apiVersion: version.name });
    const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
    const refund = sampleRefund({ refundFen, apiVersion: version.name, refundRequest: undefined });
    expect(await reserveRefund(table, refund, turns, undefined)).toBe('reserved');
  }

  const stored = async () =>
    (await readRefund(table, { ...orderId(), outRefundNo: OUT_REFUND_NO })).refund;

  test('that a bug took for a contradiction is shown as what it is, and then recorded', async () => {
    await reserved();
    const parsed = await receive(version, 'refund');
    const { message: _, ...notification } = parsed;
    const wrong = { ...SUCCESS, refundFen: 8 };
    const context = {
      ...operator(found(wrong)),
      notification: received(parsed, version.name),
    };
    const misread = isSigned ? { ...notification, evidence: wrong } : notification;
    await confirmRefund(context, '', misread as RefundNotification);
    expect(await stored()).toMatchObject({ status: 'PENDING' });
    const kept = keptOn(await rowOf(table, ORDER, REFUND));

    expect(await planRedrive(operator(words), kept)).toEqual({
      outTradeNo: 'order-0001',
      outRefundNo: OUT_REFUND_NO,
      state: 'PENDING',
      decision: 'apply',
      to: 'SUCCESS',
    });
    expect(await applyRedrive(operator(words), kept)).toEqual({ kind: 'duplicate' });
    expect(await stored()).toMatchObject({ status: 'SUCCESS' });
    expect(await factTypesOf(table, ORDER, REFUND)).toEqual(['REQUESTED', 'MISMATCH', 'SUCCEEDED']);
    expect(await planRedrive(operator(words), kept)).toMatchObject({ decision: 'duplicate' });
  });

  test('that contradicts its row still says in what, and nothing is written for that', async () => {
    await reserved(900);
    const before = await allRows(table);
    const mismatch = { field: 'refundFen', expected: 900, observed: 800 } as const;

    for (const by of isSigned ? [words] : [words, { refund: new RefundMismatchError(mismatch) }]) {
      expect(await planRedrive(operator(by), await message())).toMatchObject({
        state: 'PENDING',
        decision: 'mismatch',
        mismatch,
      });
    }
    expect(await allRows(table)).toEqual(before);
  });

  test('undoes no end', async () => {
    await reserved();
    await applyRedrive(operator(words), await message());
    const before = await stored();
    const closed = await message(isSigned ? 'CLOSED' : 'REFUNDCLOSE');
    const by = isSigned ? {} : found({ ...SUCCESS, status: 'CLOSED' });

    expect(await planRedrive(operator(by), closed)).toMatchObject({
      state: 'SUCCESS',
      decision: 'stale',
    });
    await applyRedrive(operator(by), closed);
    expect(await stored()).toEqual(before);
  });

  test('that is on its way changes nothing', async () => {
    await reserved();

    expect(await planRedrive(operator(), await message('PROCESSING'))).toMatchObject({
      state: 'PENDING',
      decision: 'duplicate',
    });
  });

  test('that nothing proves yet is said to be so', async () => {
    await reserved();
    const stuck = await message(isSigned ? 'ABNORMAL' : 'CHANGE');

    expect(await planRedrive(operator({ refund: { kind: 'not-found' } }), stuck)).toMatchObject({
      state: 'PENDING',
      decision: 'unproved',
    });
    await expect(planRedrive(operator({ refund: new Error('away') }), stuck)).rejects.toThrow(
      'away',
    );
  });

  test('of no order changes nothing', async () => {
    expect(await planRedrive(operator(), await message())).toEqual({
      outTradeNo: 'order-0001',
      outRefundNo: OUT_REFUND_NO,
      state: undefined,
      decision: 'unknown-order',
    });
  });

  test('that has no row is asked about, and leaves its order due', async () => {
    await givePaidOrder(table, { apiVersion: version.name });
    const order = { kind: 'paid', refunded: true, payment: samplePayment() } as const;
    const plan = { outTradeNo: 'order-0001', outRefundNo: OUT_REFUND_NO };
    const unseen = operator({ order: { ...order, refunded: false } });
    const other = { ...order, payment: samplePayment({ totalFen: 1 }) };

    expect(await planRedrive(unseen, await message())).toEqual({
      ...plan,
      state: 'SUCCESS',
      decision: 'unproved',
    });
    expect(await planRedrive(operator({ order: other }), await message())).toMatchObject({
      decision: 'mismatch',
      isLeftDue: false,
    });
    expect(await planRedrive(operator({ order }), await message())).toEqual({
      ...plan,
      state: 'SUCCESS',
      decision: 'apply',
      to: 'REFUND',
      isLeftDue: true,
    });
    await applyRedrive(operator({ order }), await message());
    expect(await readOrder(table, orderId())).toMatchObject({
      tradeState: 'REFUND',
      refundNotices: [OUT_REFUND_NO],
    });
    expect(await planRedrive(operator(), await message())).toEqual({
      ...plan,
      state: 'REFUND',
      decision: 'duplicate',
      isLeftDue: true,
    });
  });
});

test('a plan writes nothing, whatever it says', async () => {
  await createOrder(table, sampleOrder());
  const [v2] = VERSIONS;
  const { message } = await receive(v2 as (typeof VERSIONS)[number], 'payment');
  const watched = watchTable(table);
  const kept = { merchantKey: '', apiVersion: 'v2', content: message.content } as const;
  expect(await planRedrive(operator({}, watched), kept)).toMatchObject({ decision: 'apply' });

  expect(watched.operations).toEqual(['GetItem']);
});
