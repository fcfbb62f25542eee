import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, WechatPayServiceError, WechatPayTransportError } from '../../lib/errors.ts';
import type { Order } from '../../lib/order/order.ts';
import type { ReconcileSummary } from '../../lib/reconcile/run.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { listDue } from '../../lib/table/due-work.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { CloseResult, QueryResult } from '../../lib/wechatpay/operations.ts';
import { putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { runOnce, unpaid } from '../support/reconcile-run.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const create = (changes: Partial<Order> = {}) => createOrder(table, sampleOrder(changes));
const stored = (outTradeNo = NUMBER) => readOrder(table, orderId(outTradeNo));
const paidAs = (outTradeNo: string): QueryResult => ({
  kind: 'paid',
  refunded: false,
  payment: samplePayment({ outTradeNo }),
});

/** The counts of a run that are not zero. */
const counted = (summary: ReconcileSummary) =>
  Object.fromEntries(Object.entries(summary).filter(([, count]) => count !== 0 && count !== false));

async function dueAt(at: number): Promise<string[]> {
  const numbers: string[] = [];
  for await (const { id } of listDue(table, CREATED_AT + at)) {
    numbers.push(id.outTradeNo);
  }
  return numbers.toSorted();
}

describe('an order that is due', () => {
  test('whose notification was lost becomes SUCCESS', async () => {
    await create();
    const { summary, calls, log } = await runOnce(table, {
      wechat: { query: async (outTradeNo) => paidAs(outTradeNo) },
    });

    expect(calls).toEqual(['query order-0001']);
    expect(await stored()).toMatchObject({
      tradeState: 'SUCCESS',
      transactionId: samplePayment().transactionId,
      nextCheckAtEpochSeconds: undefined,
    });
    expect(summary).toEqual({
      due: 1,
      paid: 1,
      closed: 0,
      stillOpen: 0,
      settledMeanwhile: 0,
      refunded: 0,
      refundClosed: 0,
      refundAbnormal: 0,
      mismatched: 0,
      unsettled: 0,
      failed: 0,
      cutOff: 0,
      timeRanOut: false,
      wechatSilent: false,
      backlog: 0,
      oldestDueSeconds: 0,
    });
    expect(log.counts).toEqual({ OrderPaid: 1 });
  });

  test('and unpaid is looked at again after 3, 5 and 10 minutes more, with one read and one write', async () => {
    await create({ expiresAtEpochSeconds: CREATED_AT + 86_400 });
    const plans: unknown[] = [];
    for (const at of [60, 240, 540, 1140]) {
      const watched = watchTable(table);
      const { summary } = await runOnce(watched, { at });
      expect(counted(summary)).toEqual({ due: 1, stillOpen: 1 });
      expect(watched.operations.filter((name) => name !== 'Query')).toEqual([
        'BatchGetItem',
        'UpdateItem',
      ]);
      const {
        checks,
        checkedAtEpochSeconds = 0,
        nextCheckAtEpochSeconds = 0,
      } = (await stored()) ?? {};
      plans.push([
        checks,
        checkedAtEpochSeconds - CREATED_AT,
        nextCheckAtEpochSeconds - CREATED_AT,
      ]);
    }

    expect(plans).toEqual([
      [1, 60, 240],
      [2, 240, 540],
      [3, 540, 1140],
      [4, 1140, 2940],
    ]);
  });

  test('is left alone until then', async () => {
    await create();
    const { summary, calls } = await runOnce(table, { at: 59 });

    expect(counted(summary)).toEqual({});
    expect(calls).toEqual([]);
  });

  test('and unknown at WeChat stays open while its time runs: the request may be on its way', async () => {
    await create();
    const { summary } = await runOnce(table, {
      wechat: { query: async () => ({ kind: 'not-found' }) },
    });

    expect(counted(summary)).toEqual({ due: 1, stillOpen: 1 });
    expect((await stored())?.tradeState).toBe('NOTPAY');
  });

  test('and closed at WeChat is closed here', async () => {
    await create();
    const { summary, calls } = await runOnce(table, {
      wechat: { query: async () => ({ kind: 'not-paid', tradeState: 'CLOSED' }) },
    });

    expect(calls).toEqual(['query order-0001']);
    expect(counted(summary)).toEqual({ due: 1, closed: 1 });
    expect((await stored())?.tradeState).toBe('CLOSED');
  });

  test('but paid between the index and the read is not asked about', async () => {
    await create();
    const racing = watchTable(table, async ({ name, send }) => {
      if (name === 'BatchGetItem') {
        const evidence = { kind: 'paid', refunded: false, payment: samplePayment() } as const;
        await applyEvidence(table, orderId(NUMBER), evidence, CREATED_AT);
      }
      return send();
    });
    const { summary, calls } = await runOnce(racing);

    expect(counted(summary)).toEqual({ due: 1, settledMeanwhile: 1 });
    expect(calls).toEqual([]);
    // It left the index with the payment: nothing is to be written.
    expect(racing.operations).not.toContain('UpdateItem');
  });

  test('but paid while WeChat answers is not settled twice', async () => {
    await create();
    const { summary, log } = await runOnce(table, {
      wechat: {
        query: async (outTradeNo) => {
          const evidence = { kind: 'paid', refunded: false, payment: samplePayment() } as const;
          await applyEvidence(table, orderId(outTradeNo), evidence, CREATED_AT);
          return paidAs(outTradeNo);
        },
      },
    });

    expect(counted(summary)).toEqual({ due: 1, settledMeanwhile: 1 });
    expect(log.counts).toEqual({});
  });

  test('but gone from the table is nothing to do', async () => {
    await create();
    const emptied = watchTable(table, async ({ name, send }) =>
      name === 'BatchGetItem' ? {} : send(),
    );
    const { summary, calls } = await runOnce(emptied);

    expect(counted(summary)).toEqual({ due: 1, settledMeanwhile: 1 });
    expect(calls).toEqual([]);
  });
});

describe('an order whose time is over', () => {
  const at = 1800;

  /** Two answers about one order: to the close, then to the query. */
  const ending = (close: CloseResult | Error, query: QueryResult | Error) => ({
    close: async () => {
      if (close instanceof Error) {
        throw close;
      }
      return close;
    },
    query: async () => {
      if (query instanceof Error) {
        throw query;
      }
      return query;
    },
  });
  const closedThere: QueryResult = { kind: 'not-paid', tradeState: 'CLOSED' };
  const notFound: QueryResult = { kind: 'not-found' };

  test('is closed at WeChat, then asked about, then closed here', async () => {
    await create();
    const watched = watchTable(table);
    const { summary, calls, log } = await runOnce(watched, {
      at,
      wechat: ending('closed', closedThere),
    });

    expect(calls).toEqual(['close order-0001', 'query order-0001']);
    expect(counted(summary)).toEqual({ due: 1, closed: 1 });
    expect((await stored())?.tradeState).toBe('CLOSED');
    expect(log.counts).toEqual({ OrderClosed: 1 });
    expect(watched.operations.filter((name) => name !== 'Query')).toEqual([
      'BatchGetItem',
      'UpdateItem',
    ]);
    expect(await dueAt(604_800)).toEqual([]);
  });

  test.each<[string, CloseResult | Error]>([
    ['WeChat refuses the close because it is paid', 'already-paid'],
    ['the payment came just after the close', 'closed'],
    ['the close is lost', new WechatPayTransportError('unknown', 'no answer in time')],
    [
      'WeChat will not say why it is not closed',
      new WechatPayServiceError('rejected', 'TRADE_STATE_ERROR', ''),
    ],
  ])('is SUCCESS when %s and the query says paid', async (_name, close) => {
    await create();
    const { summary, calls } = await runOnce(table, {
      at,
      wechat: ending(close, paidAs(NUMBER)),
    });

    expect(calls).toEqual(['close order-0001', 'query order-0001']);
    expect(counted(summary)).toEqual({ due: 1, paid: 1 });
    expect(await stored()).toMatchObject({ tradeState: 'SUCCESS', paidAfterClose: undefined });
  });

  test('stays open when WeChat says closed to one and unpaid to the other, and is tried again soon', async () => {
    await create();
    const { summary } = await runOnce(table, { at, wechat: ending('closed', unpaid) });

    expect(counted(summary)).toEqual({ due: 1, stillOpen: 1 });
    expect(await stored()).toMatchObject({
      tradeState: 'NOTPAY',
      checks: 1,
      nextCheckAtEpochSeconds: CREATED_AT + at + 180,
    });
  });

  test('and that WeChat never heard of is closed here', async () => {
    await create();
    const { summary } = await runOnce(table, { at, wechat: ending('not-found', notFound) });

    expect(counted(summary)).toEqual({ due: 1, closed: 1 });
    expect((await stored())?.tradeState).toBe('CLOSED');
  });

  test.each([
    ['already-paid', 'stillOpen'],
    ['paying', 'stillOpen'],
    [new WechatPayServiceError('unknown', 'SYSTEMERROR', 'busy'), 'failed'],
  ] as const)(
    'that the close answers with %s and the query does not find is no order that never was',
    async (close, counter) => {
      await create();
      const { summary } = await runOnce(table, { at, wechat: ending(close, notFound) });

      expect(counted(summary)).toEqual({ due: 1, [counter]: 1 });
      expect((await stored())?.tradeState).toBe('NOTPAY');
    },
  );

  test('stays open, is counted as failed and tried again when the close fails and it is unpaid', async () => {
    await create();
    const error = new WechatPayServiceError('rejected', 'TRADE_STATE_ERROR', 'wrong state');
    const { summary, log } = await runOnce(table, { at, wechat: ending(error, unpaid) });

    expect(counted(summary)).toEqual({ due: 1, failed: 1 });
    expect(await stored()).toMatchObject({
      tradeState: 'NOTPAY',
      checks: 1,
      nextCheckAtEpochSeconds: CREATED_AT + at + 180,
    });
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { wechatCode: 'TRADE_STATE_ERROR' } },
    ]);
  });

  test('stays open when the query after the close is lost', async () => {
    await create();
    const lost = new WechatPayTransportError('unknown', 'no answer in time');
    const { summary } = await runOnce(table, { at, wechat: ending('closed', lost) });

    expect(counted(summary)).toEqual({ due: 1, failed: 1 });
    expect((await stored())?.tradeState).toBe('NOTPAY');
  });

  test('is not closed in its first 5 minutes, which WeChat refuses', async () => {
    await create({ expiresAtEpochSeconds: CREATED_AT + 120 });
    const first = await runOnce(table, { at: 240 });
    expect(first.calls).toEqual(['query order-0001']);
    expect((await stored())?.nextCheckAtEpochSeconds).toBe(CREATED_AT + 300);

    const second = await runOnce(table, { at: 300 });
    expect(second.calls).toEqual(['close order-0001', 'query order-0001']);
  });

  test('was due at that very second, whatever the pace', async () => {
    await create({ nextCheckAtEpochSeconds: CREATED_AT + 1140, checks: 3 });
    await runOnce(table, { at: 1140 });

    expect((await stored())?.nextCheckAtEpochSeconds).toBe(CREATED_AT + 1800);
  });
});

describe('one bad order', () => {
  const good = Array.from({ length: 20 }, (_, index) => `good-${100 + index}`);
  const createGood = () => Promise.all(good.map((outTradeNo) => create({ outTradeNo })));
  const expectGoodPaid = async () => {
    const states = await Promise.all(good.map(async (name) => (await stored(name))?.tradeState));
    expect(states).toEqual(good.map(() => 'SUCCESS'));
  };
  /** Everything is paid but one order, with which something else happens. */
  const butFor = (answer: () => Promise<QueryResult>) => ({
    query: async (outTradeNo: string) => (outTradeNo === NUMBER ? answer() : paidAs(outTradeNo)),
  });

  test.each<[string, Error, object, object?]>([
    [
      'that WeChat does not answer about',
      new WechatPayTransportError('unknown', 'no answer in time'),
      { code: 'WECHAT_UNREACHABLE', outcome: 'unknown' },
    ],
    [
      'that WeChat refuses to speak about',
      new WechatPayServiceError('rejected', 'NOAUTH', 'no'),
      { code: 'WECHAT_PAY_REFUSED', wechatCode: 'NOAUTH' },
    ],
    [
      'that breaks our own code',
      new TypeError('undefined is not a function'),
      { error: 'TypeError' },
    ],
    [
      'that a wrong setting keeps from being asked about',
      new ConfigError('an order belongs to merchant 1'),
      { code: 'CONFIG_ERROR' },
      { ConfigError: 1 },
    ],
  ])(
    '%s is logged, counted and put off; the others go on',
    async (_name, error, fields, counts) => {
      await createGood();
      await create();
      const { summary, log } = await runOnce(table, {
        wechat: butFor(async () => {
          throw error;
        }),
      });

      expect(counted(summary)).toEqual({ due: 21, paid: 20, failed: 1 });
      await expectGoodPaid();
      expect(await stored()).toMatchObject({
        tradeState: 'NOTPAY',
        checks: 1,
        nextCheckAtEpochSeconds: CREATED_AT + 240,
      });
      expect(log.counts).toEqual({ OrderPaid: 20, ReconcileOrderFailed: 1, ...counts });
      expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
        { message: 'an order could not be reconciled', fields: { outTradeNo: NUMBER, ...fields } },
      ]);
    },
  );

  test.each([
    [
      'WeChat is too busy to be asked about',
      new WechatPayServiceError('unknown', 'FREQUENCY_LIMITED', ''),
    ],
    ['could not be sent to WeChat', new WechatPayTransportError('not-sent', 'no connection')],
  ])('that %s keeps its turn among the first questions', async (_, error) => {
    await create();
    const { summary } = await runOnce(table, {
      wechat: butFor(async () => {
        throw error;
      }),
    });

    expect(counted(summary)).toEqual({ due: 1, failed: 1 });
    expect(await rowOf(table, `ORDER#${NUMBER}`)).toMatchObject({
      checks: { N: '0' },
      GSI1PK: { S: expect.stringMatching(/^OPEN#FIRST#/) },
    });
    expect((await stored())?.nextCheckAtEpochSeconds).toBe(CREATED_AT + 120);
  });

  test('that contradicts its payment raises the alarm and is put off; the others go on', async () => {
    await createGood();
    await create();
    const payment = samplePayment({ totalFen: 1 });
    const { summary, log } = await runOnce(table, {
      wechat: butFor(async () => ({ kind: 'paid', refunded: false, payment })),
    });

    expect(counted(summary)).toEqual({ due: 21, paid: 20, mismatched: 1 });
    await expectGoodPaid();
    expect(await stored()).toMatchObject({
      tradeState: 'NOTPAY',
      // Looked at again in a day: until then a person has to.
      nextCheckAtEpochSeconds: CREATED_AT + 60 + 86_400,
    });
    expect(log.counts).toEqual({ OrderPaid: 20, TransactionMismatch: 1 });
  });

  test.each(['GetItem', 'UpdateItem'])(
    'whose %s fails is counted and stays due; the others go on',
    async (operation) => {
      await createGood();
      await create();
      const broken = watchTable(table, async ({ name, input, send }) => {
        const isBad = JSON.stringify(input['Key'] ?? '').includes(NUMBER);
        if ((isBad || name === 'BatchGetItem') && name.endsWith(operation)) {
          throw new Error('throttled');
        }
        return send();
      });
      const { summary, log } = await runOnce(broken, { wechat: butFor(async () => unpaid) });

      expect(counted(summary)).toEqual({ due: 21, paid: 20, failed: 1 });
      await expectGoodPaid();
      expect(log.counts).toEqual({ OrderPaid: 20, ReconcileOrderFailed: 1 });
      expect(await dueAt(60)).toEqual([NUMBER]);
    },
  );

  const spoil = async (attributes: Row) => {
    await create();
    const row = { ...(await rowOf(table, `ORDER#${NUMBER}`)), ...attributes };
    await putRow(table, row);
    return row;
  };

  test('whose row cannot be read is named, counted and put off for a day by its key alone; the others go on', async () => {
    await createGood();
    const before = await spoil({ tradeState: { NULL: true } });
    const { summary, calls, log } = await runOnce(table, { wechat: butFor(async () => unpaid) });

    expect(counted(summary)).toEqual({ due: 21, paid: 20, failed: 1 });
    await expectGoodPaid();
    expect(calls).not.toContain(`query ${NUMBER}`);
    expect(log.counts).toEqual({ OrderPaid: 20, ReconcileOrderFailed: 1, OrderUnreadable: 1 });
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      {
        message: 'an order could not be reconciled',
        fields: {
          outTradeNo: NUMBER,
          code: 'ORDER_UNREADABLE',
          row: `ORDER#${NUMBER} ORDER`,
          attribute: 'tradeState',
        },
      },
    ]);
    expect(await rowOf(table, `ORDER#${NUMBER}`)).toEqual({
      ...before,
      GSI1SK: { S: '2026-03-02T02:01:00Z' },
    });
  });

  test.each<[string, Row]>([
    ['apiVersion', { apiVersion: { S: 'v4' } }],
    ['checks', { checks: { S: 'one' } }],
    ['expiresAt', { expiresAt: { S: 'never' } }],
    ['prepayRequest', { prepayRequest: { M: {} } }],
  ])(
    'whose %s cannot be read is reported by one run and by none of the next day',
    async (_, bad) => {
      await spoil(bad);
      const runs = [];
      for (const at of [60, 120, 180, 3600, 86_459]) {
        runs.push(await runOnce(table, { at }));
      }

      expect(runs.map(({ summary }) => counted(summary))).toEqual([
        { due: 1, failed: 1 },
        {},
        {},
        {},
        {},
      ]);
      expect(runs.flatMap(({ calls }) => calls)).toEqual([]);
      expect(counted((await runOnce(table, { at: 86_460 })).summary)).toEqual({
        due: 1,
        failed: 1,
      });
    },
  );

  test('whose row cannot be read is reported by one of two runs that meet', async () => {
    await spoil({ tradeState: { NULL: true } });
    const runs = await Promise.all([runOnce(table), runOnce(table)]);

    const counts = runs.map(({ log }) => log.counts.OrderUnreadable ?? 0);
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  test('whose row cannot be read and not be put off either is reported all the same', async () => {
    await spoil({ tradeState: { NULL: true } });
    const broken = watchTable(table, async ({ name, send }) => {
      if (name === 'UpdateItem') {
        throw new Error('throttled');
      }
      return send();
    });
    const { summary, log } = await runOnce(broken);

    expect(counted(summary)).toEqual({ due: 1, failed: 1 });
    expect(log.counts).toEqual({ ReconcileOrderFailed: 1, OrderUnreadable: 1 });
  });

  test('that was settled by hand and left in the index is taken out of it', async () => {
    await spoil({ tradeState: { S: 'CLOSED' } });
    const { summary, calls, log } = await runOnce(table);

    expect(counted(summary)).toEqual({ due: 1, settledMeanwhile: 1 });
    expect(calls).toEqual([]);
    expect(log.counts).toEqual({});
    expect(await dueAt(604_800)).toEqual([]);
    expect((await stored())?.tradeState).toBe('CLOSED');
  });
});
