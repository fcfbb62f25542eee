import { beforeEach, describe, expect, test } from 'vitest';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { giveBack } from '../../lib/evidence/refund-request.ts';
import { automaticRefundNumberFor } from '../../lib/refund/request.ts';
import { recordConsoleRefund } from '../../lib/table/refund-change.ts';
import { listRefunds } from '../../lib/table/refunds.ts';
import { effectOfConsoleRefund } from '../../lib/refund/transition.ts';
import { atOnce } from '../support/at-once.ts';
import { putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { openRefundDesk } from '../support/refund-desk.ts';
import { orderId, sampleOrder } from '../support/sample-orders.ts';
import { ASKED_AT, PAID_AT, refundEvidence, sampleRefund } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;
let desk: ReturnType<typeof openRefundDesk>;

beforeEach(async () => {
  table = await newTable();
  desk = openRefundDesk(table);
});

describe('a refund', () => {
  test('is one read, one transaction, one call to WeChat and one write', async () => {
    await givePaidOrder(table);
    const watched = watchTable(table);

    const { refund, isNew } = await desk.ask({ refundFen: 800, reason: '少发' }, 'key-1', watched);

    expect(isNew).toBe(true);
    expect(watched.operations).toEqual([
      'BatchGetItem',
      'TransactWriteItems',
      'TransactWriteItems',
    ]);
    expect(desk.wechat.calls).toEqual([`refund ${refund.outRefundNo}`]);
    expect(refund).toMatchObject({
      status: 'PROCESSING',
      refundFen: 800,
      reason: '少发',
      refundId: '50000',
      attempts: 1,
      sentAtEpochSeconds: ASKED_AT,
      acceptedAtEpochSeconds: ASKED_AT,
      nextCheckAtEpochSeconds: ASKED_AT + 60,
      requestedBy: 'arn:aws:iam::123456789012:user/shop',
    });
    expect(await desk.stored(refund.outRefundNo)).toEqual(refund);
    expect(await accountOf(table)).toMatchObject({
      tradeState: 'REFUND',
      refundableFen: 2000,
      refundedFen: 800,
      provedFen: 800,
      refundCount: 1,
    });
  });

  test('without an amount is all that is left, and under the same key the same for ever', async () => {
    await givePaidOrder(table);
    desk.wechat.fates.push('accepted');
    await desk.ask({ refundFen: 800, outRefundNo: 'first' });
    desk.clock.at += 60;
    const rest = await desk.ask({}, 'rest');
    const again = await desk.ask({}, 'rest');

    expect(rest.refund.refundFen).toBe(2000);
    expect(again).toEqual({ refund: rest.refund, isNew: false });
    // Nothing is left, so the key is looked up before amounts are judged.
    expect((await accountOf(table)).refundableFen).toBe(0);
  });

  test('under the same key, 50 at once, is one refund, sent once', async () => {
    await givePaidOrder(table);
    const answers = await atOnce(50, () => desk.ask({ refundFen: 800 }, 'key-1'));

    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(answers.map(({ refund }) => refund.outRefundNo)).size).toBe(1);
    expect(desk.wechat.arrived).toHaveLength(1);
    expect((await accountOf(table)).refundableFen).toBe(2000);
  });

  test('of a tenth, 100 at once under 100 keys, is given back ten times at most', async () => {
    await givePaidOrder(table);
    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) => desk.ask({ refundFen: 280 }, `key-${index}`)),
    );
    const made = answers.filter(({ status }) => status === 'fulfilled');
    const codes = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason.code] : [],
    );

    expect(made).toHaveLength(10);
    expect(new Set(codes)).toEqual(new Set(['REFUND_EXCEEDS_PAYMENT']));
    // One has the turn; the others wait for theirs.
    expect(desk.wechat.arrived).toHaveLength(1);
  });

  test.each([
    ['another amount', { refundFen: 801 }],
    ['no amount', {}],
    ['another reason', { refundFen: 800, reason: '少发' }],
  ])('with %s under a used key is refused, whatever is left', async (_, wish) => {
    await givePaidOrder(table);
    await desk.ask({ refundFen: 800 }, 'key-1');

    await expect(desk.ask(wish, 'key-1')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect((await accountOf(table)).refundCount).toBe(1);
  });

  test('with a number of its own is found by it, and differs from nothing else', async () => {
    await givePaidOrder(table);
    const { refund } = await desk.ask({ refundFen: 800, outRefundNo: 'r-1' });

    expect(await desk.ask({ refundFen: 800, outRefundNo: 'r-1' })).toEqual({
      refund,
      isNew: false,
    });
    await expect(desk.ask({ refundFen: 801, outRefundNo: 'r-1' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('that names a number goes by it, not by the key; the key stays with its first refund', async () => {
    await givePaidOrder(table);
    const first = await desk.ask({ refundFen: 1, outRefundNo: 'r-1' }, 'key-1');
    const second = await desk.ask({ refundFen: 1, outRefundNo: 'r-2' }, 'key-1');

    expect([first.refund.outRefundNo, second.refund.outRefundNo]).toEqual(['r-1', 'r-2']);
    expect((await desk.ask({ refundFen: 1, outRefundNo: 'r-1' }, 'key-9')).isNew).toBe(false);
    // The key alone is another request than the one it was used for.
    await expect(desk.ask({ refundFen: 1 }, 'key-1')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect((await accountOf(table)).refundCount).toBe(2);
  });

  test('under the number of another order is refused', async () => {
    await givePaidOrder(table, { outTradeNo: 'order-0002' });
    await givePaidOrder(table);
    const other = sampleRefund({ outTradeNo: 'order-0002', outRefundNo: 'r-1' });
    const { reserveRefund } = await import('../../lib/table/refunds.ts');
    await reserveRefund(
      table,
      other,
      { nowEpochSeconds: ASKED_AT, order: false, probe: false },
      undefined,
    );

    await expect(desk.ask({ outRefundNo: 'r-1' })).rejects.toMatchObject({
      code: 'REFUND_NUMBER_TAKEN',
      parameters: { outRefundNo: 'r-1' },
    });
  });

  test('under the number of a refund of the console is refused', async () => {
    await givePaidOrder(table);
    const evidence = refundEvidence({ outRefundNo: 'r-1' });
    const row = sampleRefund({ outRefundNo: 'r-1', source: 'CONSOLE', fingerprint: undefined });
    await recordConsoleRefund(table, row, effectOfConsoleRefund(evidence));

    await expect(desk.ask({ outRefundNo: 'r-1' })).rejects.toMatchObject({
      code: 'REFUND_NUMBER_TAKEN',
    });
  });

  test.each([
    ['of more than is left', 'REFUND_EXCEEDS_PAYMENT', { refundFen: 2801 }, ASKED_AT],
    ['after a year', 'REFUND_EXPIRED', {}, PAID_AT + 365 * 86_400 + 1],
  ])('%s is %s, and WeChat is not asked', async (_, code, wish, at) => {
    await givePaidOrder(table);
    desk.clock.at = at;

    await expect(desk.ask(wish, 'key-1')).rejects.toMatchObject({ code });
    expect(desk.wechat.calls).toEqual([]);
    expect(await listRefunds(table, orderId())).toEqual([]);
  });

  test('of an order that does not say by which payment is refused', async () => {
    await givePaidOrder(table);
    const { transactionId: _, ...row } = (await rowOf(table, 'ORDER#order-0001')) ?? {};
    await putRow(table, row);

    await expect(desk.ask({}, 'key-1')).rejects.toMatchObject({ code: 'ORDER_NOT_PAID' });
  });

  test('of an unpaid order, or of none, is refused', async () => {
    await expect(desk.ask({}, 'key-1')).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    await createOrder(table, sampleOrder());
    await expect(desk.ask({}, 'key-1')).rejects.toMatchObject({ code: 'ORDER_NOT_PAID' });
  });

  test('whose number was lost with the key row is found by the number that the key makes', async () => {
    await givePaidOrder(table);
    const { refund } = await desk.ask({ refundFen: 800 }, 'key-1');
    const forgetful = watchTable(table, async ({ name, send }) => {
      const answer = (await send()) as { Responses?: Record<string, { SK?: { S?: string } }[]> };
      const rows = answer.Responses?.[table.tableName];
      return name === 'BatchGetItem' && rows
        ? {
            ...answer,
            Responses: {
              [table.tableName]: rows.filter((row) => !row.SK?.S?.startsWith('REFUNDKEY#')),
            },
          }
        : answer;
    });

    expect((await desk.ask({ refundFen: 800 }, 'key-1', forgetful)).refund).toEqual(refund);
  });
});

describe('a refund that comes too soon after another', () => {
  test('is taken, waits for the pause, and is sent by reconcile', async () => {
    await givePaidOrder(table);
    await desk.ask({ refundFen: 1, outRefundNo: 'r-1' });
    desk.clock.at += 59;
    const { refund, isNew } = await desk.ask({ refundFen: 2, outRefundNo: 'r-2' });

    expect(isNew).toBe(true);
    expect(refund).toMatchObject({
      status: 'PENDING',
      waitingFor: 'PAUSE',
      attempts: 0,
      mayHaveReached: false,
      nextCheckAtEpochSeconds: ASKED_AT + 60,
    });
    expect(desk.wechat.arrived).toHaveLength(1);

    await desk.reconcile(60);
    expect(await desk.stored('r-2')).toMatchObject({ status: 'PROCESSING', waitingFor: undefined });
  });

  test('and meets the other in the transaction waits as well: two senders never race', async () => {
    await givePaidOrder(table);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // The second reads before the first takes the turn, and writes after it.
    const slow = watchTable(table, async ({ name, send }) => {
      if (name === 'TransactWriteItems') {
        await held;
      }
      return send();
    });
    const second = desk.ask({ refundFen: 2, outRefundNo: 'r-2' }, undefined, slow);
    await desk.ask({ refundFen: 1, outRefundNo: 'r-1' });
    release();

    expect((await second).refund).toMatchObject({ status: 'PENDING', waitingFor: 'PAUSE' });
    expect(desk.wechat.calls).toEqual(['refund r-1']);
    expect((await accountOf(table)).refundCount).toBe(2);
  });
});

describe('writers who meet', () => {
  const conflicts = (times: number) => {
    let left = times;
    return {
      ...watchTable(table, async ({ name, send }) => {
        if (name === 'TransactWriteItems' && left > 0) {
          left -= 1;
          throw new TransactionCanceledException({
            message: 'busy',
            $metadata: {},
            CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
          });
        }
        return send();
      }),
      startTimer: (_: number, run: () => void) => {
        run();
        return () => {};
      },
    };
  };

  test('are tried again, and the refund is made and sent once', async () => {
    await givePaidOrder(table);

    expect((await desk.ask({ refundFen: 800 }, 'key-1', conflicts(5))).refund.status).toBe(
      'PROCESSING',
    );
    expect(desk.wechat.arrived).toHaveLength(1);
  });

  test('for ten seconds decide nothing: the caller repeats with the same key', async () => {
    await givePaidOrder(table);

    await expect(desk.ask({ refundFen: 800 }, 'key-1', conflicts(99))).rejects.toBeInstanceOf(
      TransactionCanceledException,
    );
    expect(await accountOf(table)).toMatchObject({ refundableFen: 2800, refundCount: undefined });
    expect((await desk.ask({ refundFen: 800 }, 'key-1')).isNew).toBe(true);
  });

  test('and change the rows at every attempt decide nothing', async () => {
    await givePaidOrder(table);
    const changing = watchTable(table, async ({ name, send }) => {
      if (name === 'TransactWriteItems') {
        throw new TransactionCanceledException({
          message: 'changed',
          $metadata: {},
          CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }],
        });
      }
      return send();
    });

    await expect(desk.ask({ refundFen: 800 }, 'key-1', changing)).rejects.toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
    });
  });
});

describe('a payment for a closed order', () => {
  const NUMBER = () => automaticRefundNumberFor(table.scope, orderId());

  test('is given back whole and once, whatever is repeated', async () => {
    await givePaidOrder(table);
    const back = await atOnce(20, () => giveBack(desk.context, orderId()));

    expect(new Set(back.map((refund) => refund?.outRefundNo))).toEqual(new Set([NUMBER()]));
    expect(desk.wechat.arrived).toHaveLength(1);
    expect(await desk.stored(NUMBER())).toMatchObject({ source: 'AUTOMATIC', refundFen: 2800 });
  });

  test('of which a part went back already is given back for the rest', async () => {
    await givePaidOrder(table);
    await desk.ask({ refundFen: 800, outRefundNo: 'r-1' });
    desk.clock.at += 60;

    expect(await giveBack(desk.context, orderId())).toMatchObject({ refundFen: 2000 });
  });

  test('that went back already is not given back again', async () => {
    await givePaidOrder(table);
    await desk.ask({ outRefundNo: 'r-1' });

    expect(await giveBack(desk.context, orderId())).toBeUndefined();
    expect(desk.wechat.arrived).toHaveLength(1);
  });

  test('of an order that is gone is nothing to give back', async () => {
    await expect(giveBack(desk.context, orderId())).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
  });
});
