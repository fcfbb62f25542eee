/** Orders that no asking settles: until when they are asked about, and what is left of them. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ConfigError,
  UnreadableRowError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
  WechatPayTransportError,
} from '../../lib/errors.ts';
import type { ApiVersion } from '../../lib/order/parties.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { markUnsettled } from '../../lib/table/unsettled.ts';
import { refusalError, OWNERS_FAULTS } from '../../lib/wechatpay/remedy.ts';
import { putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { isoTime } from '../../lib/time.ts';
import { runOnce, unpaid, type WechatBook } from '../support/reconcile-run.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const HOUR = 3600;
const DAY = 86_400;
const LIFE = sampleOrder().expiresAtEpochSeconds - CREATED_AT;

const create = (apiVersion: ApiVersion, changes: Partial<Order> = {}) =>
  createOrder(table, sampleOrder({ apiVersion, ...changes }));
const stored = () => readOrder(table, orderId(NUMBER));
function failing(fault: Error): WechatBook {
  const fail = async () => {
    throw fault;
  };
  return { query: fail, close: fail };
}

/** Runs whenever the order is due, until it is not or the days are over; how each run ended, and when. */
async function runOn(wechat: WechatBook, days = 30) {
  const looks: { readonly at: number; readonly ended: unknown }[] = [];
  for (;;) {
    const { nextCheckAtEpochSeconds: next } = (await stored()) ?? {};
    const at = Number(next) - CREATED_AT;
    if (next === undefined || at > days * DAY) {
      return looks;
    }
    const { summary } = await runOnce(table, { at, wechat });
    const [ended] = Object.entries(summary).find(([name, value]) => name !== 'due' && value) ?? [];
    looks.push({ at, ended });
  }
}

const endedSubMerchant = refusalError(
  { outcome: 'unknown', code: '', text: 'sub_mch_id与mch_id不匹配' },
  OWNERS_FAULTS.subMerchant,
);
const cannotClose = {
  query: async () => ({ kind: 'not-paid', tradeState: 'PAYERROR' }) as const,
  close: async () => 'not-yet' as const,
};

describe.each(['v2', 'v3'] as const)('an order of API %s that cannot be settled', (version) => {
  test.each<[string, WechatBook, string]>([
    ['whose payment failed and that WeChat does not close', cannotClose, 'NOT_CLOSED'],
    ['of a sub-merchant whose relation ended', failing(endedSubMerchant), 'CONFIG_ERROR'],
    [
      'of a merchant whose keys are gone',
      failing(new ConfigError('an order belongs to merchant 1')),
      'CONFIG_ERROR',
    ],
    [
      'that WeChat refuses to speak about',
      failing(new WechatPayServiceError('rejected', 'WHATEVER', 'no')),
      'WECHAT_PAY_REFUSED',
    ],
    [
      'that WeChat speaks about in no known words',
      failing(new WechatPayMalformedMessageError('unknown trade_state')),
      'MALFORMED_MESSAGE',
    ],
  ])('%s, is tried for three days, then told once and left', async (_, wechat, cause) => {
    await create(version);
    const looks = await runOn(wechat);
    const row = await rowOf(table, `ORDER#${NUMBER}`);

    const last = looks.at(-1);
    expect(last?.ended).toBe('unsettled');
    expect(last?.at).toBeGreaterThanOrEqual(LIFE + 3 * DAY);
    expect(last?.at).toBeLessThan(LIFE + 4 * DAY + 12 * HOUR);
    expect(looks.filter(({ at }) => at >= LIFE).length).toBeGreaterThan(10);
    expect(row).toMatchObject({
      tradeState: { S: 'NOTPAY' },
      unsettled: { S: cause },
      factCount: { N: '1' },
      facts: { L: [{ M: { type: { S: 'UNSETTLED' }, reason: { S: cause } } }] },
    });
    expect(row).not.toHaveProperty('GSI1PK');
    expect(row).not.toHaveProperty('GSI1SK');
    expect(await moneyAlarms(table)).toEqual({ OrderUnsettled: 1 });
  });

  test('is paid all the same by a payment that is proved later', async () => {
    await create(version);
    await runOn(cannotClose);
    const evidence = { kind: 'paid', refunded: false, payment: samplePayment() } as const;

    expect(
      await applyEvidence(table, orderId(NUMBER), evidence, CREATED_AT + 10 * DAY),
    ).toMatchObject({ kind: 'apply', from: 'NOTPAY', to: 'SUCCESS' });
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['factCount']).toEqual({ N: '2' });
  });

  test('is settled when what was wrong is mended on the last day', async () => {
    await create(version);
    await runOn(failing(endedSubMerchant), 3);
    expect((await stored())?.unsettledSinceEpochSeconds).toBeGreaterThan(CREATED_AT + 2 * DAY);
    const paid = async () => ({ kind: 'paid', refunded: false, payment: samplePayment() }) as const;
    const looks = await runOn({ query: paid, close: async () => 'already-paid' });

    expect(looks).toMatchObject([{ ended: 'paid' }]);
    expect(await moneyAlarms(table)).toEqual({});
  });
});

test.each([
  ['does not answer', new WechatPayTransportError('unknown', 'no answer')],
  ['is busy', new WechatPayServiceError('unknown', 'SYSTEMERROR', 'busy')],
  [
    'says something that the row cannot take',
    new UnreadableRowError('ORDER#1', 'totalFen', 'no number'),
  ],
])('while WeChat %s no order is given up, and each is asked about once a day', async (_, error) => {
  await create('v2');
  const looks = await runOn(failing(error), 60);

  expect(looks.at(-1)).toMatchObject({ ended: 'failed' });
  expect(Number(looks.at(-1)?.at)).toBeGreaterThan(58 * DAY);
  expect((await stored())?.unsettledSinceEpochSeconds).toBeUndefined();
});

test('a setting that is wrong for an hour gives up nothing that is long overdue', async () => {
  await create('v2');
  // Reconcile stood still for a week, and its first look meets a wrong setting.
  const late = { at: 7 * DAY, wechat: failing(new ConfigError('wrong')) };
  expect((await runOnce(table, late)).summary).toMatchObject({ failed: 1, unsettled: 0 });

  expect((await stored())?.nextCheckAtEpochSeconds).toBeGreaterThan(CREATED_AT + 7 * DAY);
  await runOn({ query: async () => ({ kind: 'not-paid', tradeState: 'CLOSED' }) });
  expect((await stored())?.tradeState).toBe('CLOSED');
});

test('an order that somebody moved meanwhile is not given up by an older look', async () => {
  await create('v2');
  const read = sampleOrder({ nextCheckAtEpochSeconds: CREATED_AT + 59 });

  expect(await markUnsettled(table, read, 'CONFIG_ERROR', CREATED_AT + 9 * DAY)).toBe('refused');
  expect((await stored())?.nextCheckAtEpochSeconds).toBe(CREATED_AT + 60);
});

test('one that a person put back is looked at once more, and told again', async () => {
  await create('v2');
  await runOn(cannotClose);
  await putBack();
  const again = await runOnce(table, { at: 20 * DAY, wechat: cannotClose });
  expect(again.summary).toMatchObject({ due: 1, unsettled: 1 });
  expect(await moneyAlarms(table)).toEqual({ OrderUnsettled: 2 });

  await putBack();
  const closed = await runOnce(table, { at: 20 * DAY, wechat: { query: async () => CLOSED } });
  expect(closed.summary).toMatchObject({ due: 1, closed: 1 });
});

const CLOSED = { kind: 'not-paid', tradeState: 'CLOSED' } as const;

/** What `docs/operations.md` tells a person to do. */
async function putBack() {
  const row = await rowOf(table, `ORDER#${NUMBER}`);
  await putRow(table, { ...row, GSI1PK: { S: 'OPEN#00' }, GSI1SK: { S: isoTime(CREATED_AT) } });
}

test('an unpaid order within its time is no such case', async () => {
  await create('v2', { expiresAtEpochSeconds: CREATED_AT + 7 * DAY, checks: 9 });
  const looks = await runOn({ query: async () => unpaid }, 1);

  expect(looks.every(({ ended }) => ended === 'stillOpen')).toBe(true);
  expect((await stored())?.unsettledSinceEpochSeconds).toBeUndefined();
});
