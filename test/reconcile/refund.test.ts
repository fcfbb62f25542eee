import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, WechatPayServiceError } from '../../lib/errors.ts';
import { noteRefund } from '../../lib/table/refund-notices.ts';
import { recordRefundEvidence } from '../../lib/evidence/refund-record.ts';
import type { Refund } from '../../lib/refund/refund.ts';
import { automaticRefundNumberFor } from '../../lib/refund/request.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { listDue } from '../../lib/table/due-work.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { changeRefund } from '../../lib/table/refund-change.ts';
import { listRefunds } from '../../lib/table/refunds.ts';
import { RefundMismatchError } from '../../lib/wechatpay/refund-settlement.ts';
import { putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { factsOf } from '../support/facts-of.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { openRefundDesk } from '../support/refund-desk.ts';
import { orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { ASKED_AT, PAID_AT } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;
let desk: ReturnType<typeof openRefundDesk>;

beforeEach(async () => {
  table = await newTable();
  desk = openRefundDesk(table);
  await givePaidOrder(table);
});

const ask = async (outRefundNo = 'r-1', refundFen = 800): Promise<Refund> =>
  (await desk.ask({ outRefundNo, refundFen })).refund;
const stored = async (outRefundNo = 'r-1') => (await desk.stored(outRefundNo)) as Refund;
const callsAfter = async (action: () => Promise<unknown>): Promise<string[]> => {
  const before = desk.wechat.calls.length;
  await action();
  return desk.wechat.calls.slice(before);
};
const counted = (summary: object) =>
  Object.fromEntries(Object.entries(summary).filter(([, count]) => count !== 0 && count !== false));
async function due(): Promise<string[]> {
  const names: string[] = [];
  for await (const work of listDue(table, ASKED_AT + 10 * 365 * 86_400)) {
    names.push(work.kind === 'refund' ? work.id.outRefundNo : work.id.outTradeNo);
  }
  return names;
}

const refundFacts = () => factsOf(table, 'ORDER#order-0001', 'REFUND#r-1');

describe('a refund that WeChat accepted', () => {
  test('is asked about after 1, 5, 10, 20 and 30 minutes, and is done when WeChat says so', async () => {
    await ask();
    const plans: number[] = [];
    for (const at of [60, 360, 960, 2160, 3960]) {
      expect(counted(await desk.reconcile(at))).toEqual({ due: 1, stillOpen: 1 });
      plans.push(((await stored()).nextCheckAtEpochSeconds ?? 0) - ASKED_AT - at);
    }
    expect(plans).toEqual([300, 600, 1200, 1800, 1800]);

    const arrival = { succeededAtEpochSeconds: ASKED_AT + 4000, userReceivedAccount: '零钱' };
    desk.wechat.end('r-1', 'SUCCESS', arrival);
    expect(counted(await desk.reconcile(5760))).toEqual({ due: 1, refunded: 1 });
    expect(await stored()).toMatchObject({ status: 'SUCCESS', ...arrival });
    expect(await due()).toEqual([]);
    expect(await callsAfter(() => desk.reconcile(99_999))).toEqual([]);
  });

  test('and ends as CLOSED frees its money once; a new number may follow', async () => {
    await ask();
    desk.wechat.end('r-1', 'CLOSED');
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, refundClosed: 1 });

    // WeChat took it, so it counts; what it proved before it closed is undone.
    expect(await accountOf(table)).toMatchObject({
      refundableFen: 2800,
      refundedFen: 0,
      provedFen: 0,
      refundCount: 1,
    });
    desk.clock.at += 60;
    expect((await ask('r-2', 2800)).status).toBe('PROCESSING');
  });

  test('and cannot bring to the buyer rings daily, stays reserved, and may go on by itself', async () => {
    await ask();
    desk.wechat.end('r-1', 'ABNORMAL');
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, refundAbnormal: 1 });
    expect(await stored()).toMatchObject({ status: 'ABNORMAL', round: 1 });
    expect(await accountOf(table)).toMatchObject({ refundableFen: 2000 });
    expect(desk.log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ RefundAbnormal: 1 });

    expect(await callsAfter(() => desk.reconcile(86_459))).toEqual([]);
    expect(counted(await desk.reconcile(86_460))).toEqual({ due: 1, refundAbnormal: 1 });
    expect(desk.log.counts.RefundAbnormal).toBe(1);

    desk.wechat.end('r-1', 'PROCESSING');
    expect(counted(await desk.reconcile(172_860))).toEqual({ due: 1, stillOpen: 1 });
    expect(await stored()).toMatchObject({ status: 'PROCESSING', round: 1, checks: 0 });
    desk.wechat.end('r-1', 'ABNORMAL');
    await desk.reconcile(172_920);
    expect(await stored()).toMatchObject({ status: 'ABNORMAL', round: 2 });
  });

  test('and processes for more than three working days rings', async () => {
    await ask();
    // Sunday 10:02 in Beijing: Monday, Tuesday, Wednesday.
    await desk.reconcile(3 * 86_400 - 1);
    expect(desk.log.counts.RefundOverdue).toBeUndefined();
    await desk.reconcile(3 * 86_400 + 1800);
    expect(desk.log.counts.RefundOverdue).toBe(1);
  });

  test('and then does not know is a contradiction, and nothing changes', async () => {
    await ask();
    desk.wechat.book.clear();
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, mismatched: 1 });

    expect(desk.log.counts.RefundMismatch).toBe(1);
    expect(await stored()).toMatchObject({
      status: 'PROCESSING',
      nextCheckAtEpochSeconds: ASKED_AT + 60 + 86_400,
    });
    expect((await refundFacts()).slice(1)).toMatchObject([
      { type: 'MISMATCH', field: 'refundId', expected: '50000', observed: '(none)' },
    ]);
  });

  test('but says another amount of is a contradiction, and nothing changes', async () => {
    await ask();
    desk.wechat.end('r-1', 'SUCCESS', { refundFen: 801 });
    await desk.reconcile(60);

    expect(desk.log.counts.RefundMismatch).toBe(1);
    expect(await stored()).toMatchObject({ status: 'PROCESSING', refundFen: 800 });
  });
});

describe('a refund whose outcome nobody knows', () => {
  test('and that WeChat carried out is found by its query, and sent once', async () => {
    desk.wechat.fates.push('lost');
    expect(await ask()).toMatchObject({
      status: 'PENDING',
      mayHaveReached: true,
      waitingFor: undefined,
      failure: { code: 'WECHAT_UNREACHABLE' },
    });
    expect(await callsAfter(() => desk.reconcile(60))).toEqual(['query r-1']);
    expect(await stored()).toMatchObject({ status: 'PROCESSING', failure: undefined });
    expect(desk.wechat.arrived).toHaveLength(1);
  });

  test('is repeated under the same number, with the same request, and never under a new one', async () => {
    desk.wechat.fates.push('not-arrived', 'too-often');
    const refund = await ask();
    expect(await callsAfter(() => desk.reconcile(60))).toEqual(['query r-1', 'refund r-1']);
    // WeChat asked for fewer calls.
    expect((await stored()).nextCheckAtEpochSeconds).toBe(ASKED_AT + 60 + 600);
    expect(await callsAfter(() => desk.reconcile(660))).toEqual(['query r-1', 'refund r-1']);

    expect(await stored()).toMatchObject({ status: 'PROCESSING', attempts: 3 });
    const requests = desk.wechat.arrived.map(({ refundRequest }) => refundRequest);
    expect(requests).toEqual([refund.refundRequest, refund.refundRequest]);
  });

  test('and then is refused keeps its money until ten minutes after the last attempt a query and a repeat deny it', async () => {
    desk.wechat.fates.push('not-arrived', 'refused', 'refused', 'refused');
    await ask();
    // The first attempt may still come to light: a refusal of the second proves nothing about it.
    await desk.reconcile(60);
    expect(await stored()).toMatchObject({
      status: 'PENDING',
      failure: { code: 'ERROR' },
      nextCheckAtEpochSeconds: ASKED_AT + 660,
    });
    expect((await accountOf(table)).refundableFen).toBe(2000);

    expect(await callsAfter(() => desk.reconcile(660))).toEqual(['query r-1', 'refund r-1']);
    expect(await stored()).toMatchObject({ status: 'CLOSED', failure: { code: 'ERROR' } });
    expect(await accountOf(table)).toMatchObject({ refundableFen: 2800, refundCount: 0 });
    expect(await due()).toEqual([]);
  });

  test('and that a late query finds is never freed', async () => {
    desk.wechat.fates.push('not-arrived', 'refused');
    const refund = await ask();
    await desk.reconcile(60);
    // The first request was on its way all the time.
    desk.wechat.fates.push('accepted');
    await desk.wechat.wechatPay.refund({ ...refund, refundRequest: refund.refundRequest! });
    await desk.reconcile(660);

    expect(await stored()).toMatchObject({ status: 'PROCESSING' });
    expect((await accountOf(table)).refundableFen).toBe(2000);
  });

  test('because a call to two hosts was refused by one only is not ended by that refusal', async () => {
    desk.wechat.fates.push('refused-in-doubt', 'refused-in-doubt', 'refused');
    expect(await ask()).toMatchObject({ status: 'PENDING', mayHaveReached: true });
    await desk.reconcile(600);
    // The repeat is in doubt itself.
    expect(await stored()).toMatchObject({
      status: 'PENDING',
      nextCheckAtEpochSeconds: ASKED_AT + 1200,
    });
    await desk.reconcile(1200);
    expect((await stored()).status).toBe('CLOSED');
  });

  test('when WeChat cannot be asked stays as it is, is counted and put off', async () => {
    desk.wechat.fates.push('not-arrived');
    await ask();
    desk.wechat.hooks.beforeQuery = async () => {
      throw new WechatPayServiceError('unknown', 'SYSTEMERROR', 'busy');
    };
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, failed: 1 });

    expect(desk.log.counts.ReconcileOrderFailed).toBe(1);
    expect(await stored()).toMatchObject({ status: 'PENDING', attempts: 1 });
    expect((await stored()).nextCheckAtEpochSeconds).toBeGreaterThan(ASKED_AT + 60);
  });

  test('was sent by nobody when the function crashed before the call: reconcile sends it', async () => {
    desk.wechat.hooks.beforeRefund = async () => {
      // The process dies here: nothing after this line happens.
      await new Promise(() => {});
    };
    void ask();
    await expect.poll(() => desk.wechat.calls).toEqual(['refund r-1']);
    delete desk.wechat.hooks.beforeRefund;
    expect(await stored()).toMatchObject({ status: 'PENDING', attempts: 1, mayHaveReached: true });

    expect(await callsAfter(() => desk.reconcile(60))).toEqual(['query r-1', 'refund r-1']);
    expect((await stored()).status).toBe('PROCESSING');
  });
});

describe('a refund that WeChat refuses', () => {
  test('at its first attempt ends at once, and its money is free', async () => {
    desk.wechat.fates.push('refused');
    expect(await ask()).toMatchObject({
      status: 'CLOSED',
      failure: { code: 'ERROR', message: 'text of ERROR' },
      nextCheckAtEpochSeconds: undefined,
    });
    expect(await accountOf(table)).toMatchObject({
      tradeState: 'SUCCESS',
      refundableFen: 2800,
      refundedFen: 0,
      refundCount: 0,
    });
    expect(await due()).toEqual([]);
  });

  test('after attempts that never left ends at once: nothing can have reached WeChat', async () => {
    desk.wechat.fates.push('not-sent', 'refused');
    expect(await ask()).toMatchObject({ status: 'PENDING', mayHaveReached: false });
    expect(await callsAfter(() => desk.reconcile(60))).toEqual(['refund r-1']);
    expect((await stored()).status).toBe('CLOSED');
  });

  test('and has after all, by its own later word, takes its money again', async () => {
    desk.wechat.fates.push('refused');
    const refund = await ask();
    desk.clock.at += 60;
    await ask('r-2', 2800);
    const evidence = { ...desk.wechat.book.get('r-2')!, outRefundNo: 'r-1', refundFen: 800 };
    await recordRefundEvidence(desk.context, refund, { ...evidence, status: 'SUCCESS' });

    expect(await stored()).toMatchObject({ status: 'SUCCESS' });
    // Proved beyond the payment: recorded, marked, and an alarm.
    expect(await accountOf(table)).toMatchObject({ refundableFen: -800, provedFen: 3600 });
    expect((await accountOf(table)).refundMismatch).toBeDefined();
    expect(await moneyAlarms(table)).toEqual({ RefundMismatch: 1 });
  });
});

describe("while the merchant's balance is short", () => {
  beforeEach(async () => {
    await givePaidOrder(table, { outTradeNo: 'order-0002' });
    await givePaidOrder(table, { outTradeNo: 'order-0003' });
  });

  test('a refund stays reserved, rings, and is tried again under its number', async () => {
    desk.wechat.fates.push('not-enough');
    expect(await ask()).toMatchObject({
      status: 'PENDING',
      waitingFor: 'BALANCE',
      failure: { code: 'NOTENOUGH' },
      mayHaveReached: false,
      nextCheckAtEpochSeconds: ASKED_AT + 300,
    });
    expect(desk.log.counts).toEqual({ RefundWaitsForBalance: 1 });
    expect((await accountOf(table)).refundableFen).toBe(2000);

    // Recharged.
    await desk.reconcile(300);
    expect(await stored()).toMatchObject({ status: 'PROCESSING', waitingFor: undefined });
  });

  test('one refund per merchant asks and the others wait; when one gets through they follow', async () => {
    desk.wechat.fates.push('not-enough');
    await ask();
    const other = async (outTradeNo: string, outRefundNo: string) => {
      const { requestRefund } = await import('../../lib/evidence/refund-request.ts');
      const id = { merchantKey: '', outTradeNo };
      const wish = { outRefundNo, refundFen: 1 };
      const caller = { keyDigest: undefined, requestedBy: undefined };
      return (await requestRefund(desk.context, id, wish, caller)).refund;
    };
    expect(
      await callsAfter(async () => {
        expect(await other('order-0002', 'r-2')).toMatchObject({
          status: 'PENDING',
          waitingFor: 'BALANCE',
          attempts: 0,
        });
        await other('order-0003', 'r-3');
      }),
    ).toEqual([]);
    expect(desk.log.counts.RefundWaitsForBalance).toBe(3);

    // All three are due; one asks, and the balance is still short.
    desk.wechat.fates.push('not-enough');
    expect((await callsAfter(() => desk.reconcile(300))).length).toBe(1);
    // Recharged: one asks and gets through, and the rest follow when they are due.
    await desk.reconcile(600);
    await desk.reconcile(900);
    await desk.reconcile(1200);
    const refunds = await Promise.all(
      ['order-0001', 'order-0002', 'order-0003'].map((outTradeNo) =>
        listRefunds(table, orderId(outTradeNo)),
      ),
    );
    expect(refunds.flat().map(({ status }) => status)).toEqual([
      'PROCESSING',
      'PROCESSING',
      'PROCESSING',
    ]);
  });
});

describe('a setting that only the owner can mend', () => {
  test('keeps the refund reserved, rings, and is tried again', async () => {
    desk.wechat.fates.push('no-auth');
    expect(await ask()).toMatchObject({
      status: 'PENDING',
      waitingFor: 'CONFIG',
      failure: { code: 'NOAUTH' },
      nextCheckAtEpochSeconds: ASKED_AT + 300,
    });
    expect(desk.log.counts).toEqual({ ConfigError: 1 });
    await desk.reconcile(300);
    expect((await stored()).status).toBe('PROCESSING');
  });

  test('before anything was sent is no doubt', async () => {
    desk.wechat.hooks.beforeRefund = async () => {
      throw new ConfigError('the secret has no merchantCertificate');
    };
    expect(await ask()).toMatchObject({
      status: 'PENDING',
      waitingFor: 'CONFIG',
      failure: { code: 'CONFIG_ERROR' },
      mayHaveReached: false,
    });
  });

  test('is not what a fault of our own is: then nobody knows', async () => {
    desk.wechat.hooks.beforeRefund = async () => {
      throw new TypeError('undefined is not a function');
    };
    expect(await ask()).toMatchObject({
      status: 'PENDING',
      waitingFor: undefined,
      failure: { code: 'INTERNAL_ERROR' },
      mayHaveReached: true,
    });
  });
});

describe('who else changes the refund while WeChat answers', () => {
  test('a notification that came before the answer is not undone by it', async () => {
    desk.wechat.hooks.beforeRefund = async () => {
      const now = await stored();
      const evidence = {
        ...now,
        currency: 'CNY',
        refundId: '50000',
        status: 'SUCCESS',
      } as const;
      await recordRefundEvidence(desk.context, now, evidence);
    };
    // The answer says PROCESSING.
    expect(await ask()).toMatchObject({ status: 'SUCCESS', refundId: '50000' });
    expect((await accountOf(table)).provedFen).toBe(800);
  });

  test('a refusal is not recorded over what WeChat proved meanwhile', async () => {
    desk.wechat.fates.push('refused');
    desk.wechat.hooks.beforeRefund = async () => {
      const now = await stored();
      const evidence = { ...now, refundId: '50000', status: 'PROCESSING' } as const;
      await recordRefundEvidence(desk.context, now, evidence);
    };
    expect(await ask()).toMatchObject({ status: 'PROCESSING' });
    expect((await accountOf(table)).refundableFen).toBe(2000);
  });

  test('an answer that is older than the last change does not take a refund from ABNORMAL to PROCESSING', async () => {
    await ask();
    desk.wechat.hooks.beforeQuery = async () => {
      delete desk.wechat.hooks.beforeQuery;
      const now = await stored();
      const evidence = { ...desk.wechat.book.get('r-1')!, status: 'ABNORMAL' } as const;
      await recordRefundEvidence(desk.context, now, evidence);
      // And the answer to the question that was asked before says PROCESSING.
      desk.wechat.end('r-1', 'PROCESSING');
    };
    await desk.reconcile(60);
    expect(await stored()).toMatchObject({ status: 'ABNORMAL', round: 1 });
  });

  test('another sender who took the turn between read and send goes first', async () => {
    desk.wechat.fates.push('not-sent');
    await ask();
    let isFirst = true;
    const racing = watchTable(table, async ({ name, send }) => {
      const answer = await send();
      if (name === 'BatchGetItem' && isFirst) {
        isFirst = false;
        await ask('r-2', 1);
      }
      return answer;
    });
    await desk.reconcile(60, racing);

    expect(desk.wechat.calls).toEqual(['refund r-1', 'refund r-2']);
    expect(await stored()).toMatchObject({
      status: 'PENDING',
      waitingFor: 'PAUSE',
      nextCheckAtEpochSeconds: ASKED_AT + 120,
    });
  });

  test('the same refund sent by another run is not sent twice', async () => {
    desk.wechat.fates.push('not-sent');
    await ask();
    let isFirst = true;
    const racing = watchTable(table, async ({ name, send }) => {
      const answer = await send();
      if (name === 'BatchGetItem' && isFirst) {
        isFirst = false;
        await desk.reconcile(60);
      }
      return answer;
    });
    await desk.reconcile(60, racing);

    expect(desk.wechat.calls).toEqual(['refund r-1', 'refund r-1']);
    expect(desk.wechat.arrived).toHaveLength(1);
  });
});

describe('a refund that is due', () => {
  test('but ended by hand leaves the index', async () => {
    await ask();
    const row = await rowOf(table, 'ORDER#order-0001', 'REFUND#r-1');
    await putRow(table, { ...row, status: { S: 'SUCCESS' } });
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, settledMeanwhile: 1 });
    expect(await due()).toEqual([]);
  });

  test('but gone from the table is nothing to do', async () => {
    await ask();
    const emptied = watchTable(table, async ({ name, send }) =>
      name === 'BatchGetItem' ? { Responses: {} } : send(),
    );
    expect(counted(await desk.reconcile(60, emptied))).toEqual({ due: 1, settledMeanwhile: 1 });
  });

  test('but whose order is gone is nothing to do', async () => {
    await ask();
    const halved = watchTable(table, async ({ name, send }) => {
      const answer = (await send()) as { Responses?: Record<string, { SK?: { S?: string } }[]> };
      const rows = answer.Responses?.[table.tableName] ?? [];
      return name === 'BatchGetItem'
        ? { Responses: { [table.tableName]: rows.filter((row) => row.SK?.S !== 'ORDER') } }
        : answer;
    });
    expect(counted(await desk.reconcile(60, halved))).toEqual({ due: 1, settledMeanwhile: 1 });
  });

  test('and of which WeChat proves another amount rings at every look, and is one fact', async () => {
    await ask();
    desk.wechat.end('r-1', 'SUCCESS', { refundFen: 801 });
    await desk.reconcile(60);
    await desk.reconcile(120);

    expect(desk.log.counts).toEqual({ RefundMismatch: 2 });
    expect(await moneyAlarms(table)).toEqual({ RefundMismatch: 1 });
    expect((await stored()).status).toBe('PROCESSING');
  });

  test('and of which WeChat’s answer is about another refund is put off for a day, and rings', async () => {
    await ask();
    const mismatch = { field: 'refundFen', expected: 800, observed: 1 } as const;
    desk.wechat.hooks.beforeQuery = async () => {
      throw new RefundMismatchError(mismatch);
    };
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, mismatched: 1 });

    expect(desk.log.counts).toEqual({ RefundMismatch: 1 });
    expect((await stored()).nextCheckAtEpochSeconds).toBe(ASKED_AT + 60 + 86_400);
    // Once, though the alarm rings every day.
    await desk.reconcile(60 + 86_400);
    expect(desk.log.counts).toEqual({ RefundMismatch: 2 });
    expect((await refundFacts()).slice(1)).toMatchObject([
      { type: 'MISMATCH', field: 'refundFen', expected: '800', observed: '1' },
    ]);
  });

  test('and changed by somebody else while it is put off is what they made of it', async () => {
    await ask();
    await ask('r-2', 1);
    const racing = watchTable(table, async ({ name, input, send }) => {
      const answer = await send();
      if (name === 'BatchGetItem' && JSON.stringify(input).includes('r-2')) {
        const now = await stored('r-2');
        await changeRefund(table, now, { ...now, checks: 9 }, { nowMs: ASKED_AT * 1000 });
      }
      return answer;
    });
    // The turn is taken again just before.
    desk.clock.at = ASKED_AT + 59;
    const row = await rowOf(table, 'ORDER#order-0001');
    await putRow(table, { ...row, refundSentAt: { S: '2026-03-01T02:02:59Z' } });
    await desk.reconcile(60, racing);

    expect(await stored('r-2')).toMatchObject({ status: 'PENDING', checks: 9, attempts: 0 });
  });

  test('but damaged is named, counted and put off for a day by its keys', async () => {
    await ask();
    const row = await rowOf(table, 'ORDER#order-0001', 'REFUND#r-1');
    await putRow(table, { ...row, refundFen: { S: '8' } });
    expect(counted(await desk.reconcile(60))).toEqual({ due: 1, failed: 1 });
    expect(desk.log.counts).toMatchObject({ OrderUnreadable: 1 });
    expect(counted(await desk.reconcile(61))).toEqual({});
  });

  test('when the table cannot even be read stays due', async () => {
    await ask();
    const silent = watchTable(table, async ({ name, send }) => {
      if (name === 'BatchGetItem') {
        throw new Error('throttled');
      }
      return send();
    });
    expect(counted(await desk.reconcile(60, silent))).toEqual({ due: 1, failed: 1 });
    expect(await due()).toEqual(['r-1']);
  });

  test('when the table fails stays due', async () => {
    await ask();
    const broken = watchTable(table, async ({ name, send }) => {
      if (name === 'TransactWriteItems') {
        throw new Error('throttled');
      }
      return send();
    });
    expect(counted(await desk.reconcile(60, broken))).toEqual({ due: 1, failed: 1 });
    expect(await due()).toEqual(['r-1']);
  });

  test('without a request of ours to send waits for a person', async () => {
    desk.wechat.fates.push('not-sent');
    await ask();
    const { refundRequest: _, ...row } =
      (await rowOf(table, 'ORDER#order-0001', 'REFUND#r-1')) ?? {};
    await putRow(table, row);
    await desk.reconcile(60);
    expect(await stored()).toMatchObject({ status: 'PENDING', waitingFor: 'CONFIG' });
  });
});

describe('a refund that was made in the console', () => {
  /** What a person does in WeChat's console. */
  async function inConsole(outRefundNo: string, refundFen: number) {
    const refund = { ...(await ask('template', 1)), outRefundNo, refundFen };
    await desk.wechat.wechatPay.refund({ ...refund, refundRequest: refund.refundRequest! });
    desk.wechat.calls.length = 0;
  }
  const note = (outRefundNo: string) => noteRefund(table, orderId(), outRefundNo, ASKED_AT);
  const mine = async () =>
    (await listRefunds(table, orderId())).filter(({ source }) => source === 'CONSOLE');

  test('gets its row from WeChat’s own answer, with its true amount', async () => {
    await inConsole('c-1', 500);
    await note('c-1');
    await desk.reconcile(30);

    expect(desk.wechat.calls).toEqual(['list order-0001']);
    expect(await mine()).toMatchObject([
      { outRefundNo: 'c-1', refundFen: 500, status: 'PROCESSING', source: 'CONSOLE' },
    ]);
    expect(await accountOf(table)).toMatchObject({ refundableFen: 2299, refundCount: 2 });
    expect((await readOrder(table, orderId()))?.nextCheckAtEpochSeconds).toBeUndefined();
    // From here on it is asked about like any other.
    desk.wechat.end('c-1', 'SUCCESS');
    await desk.reconcile(3600);
    expect(await mine()).toMatchObject([{ status: 'SUCCESS' }]);
  });

  test('also several of one order', async () => {
    await inConsole('c-1', 500);
    await inConsole('c-2', 700);
    await note('c-1');
    await desk.reconcile(30);

    expect((await mine()).map(({ outRefundNo }) => outRefundNo)).toEqual(['c-1', 'c-2']);
    expect((await accountOf(table)).refundableFen).toBe(1599);
  });

  test('is asked about by its number where WeChat has no list (v3)', async () => {
    await inConsole('c-1', 500);
    await note('c-1');
    desk.wechat.wechatPay.listRefunds = (async () => ({ kind: 'not-offered' })) as never;
    await desk.reconcile(30);

    expect(desk.wechat.calls).toEqual(['query c-1']);
    expect(await mine()).toMatchObject([{ outRefundNo: 'c-1', refundFen: 500 }]);
  });

  test('and closed takes nothing, but is listed', async () => {
    await inConsole('c-1', 500);
    desk.wechat.end('c-1', 'CLOSED');
    await note('c-1');
    await desk.reconcile(30);

    expect(await mine()).toMatchObject([{ status: 'CLOSED', refundFen: 500 }]);
    expect((await accountOf(table)).refundableFen).toBe(2799);
  });

  test('and ABNORMAL rings', async () => {
    await inConsole('c-1', 500);
    desk.wechat.end('c-1', 'ABNORMAL');
    await note('c-1');
    await desk.reconcile(30);

    expect(await mine()).toMatchObject([{ status: 'ABNORMAL', round: 1 }]);
    expect(await moneyAlarms(table)).toEqual({ RefundAbnormal: 1 });
  });

  test('that WeChat does not know is asked about five times more, then forgotten', async () => {
    await note('c-9');
    const seen: unknown[] = [];
    for (const at of [0, 60, 180, 480, 1080, 2880, 9999]) {
      seen.push(counted(await desk.reconcile(at)));
    }
    const open = { due: 1, stillOpen: 1 };
    expect(seen).toEqual([open, open, open, open, open, { due: 1, settledMeanwhile: 1 }, {}]);
    expect(desk.log.messages('warn')).toContain('a refund was reported that WeChat does not know');
    expect(await mine()).toEqual([]);
  });

  test('of another order than WeChat says is a contradiction, and has no row', async () => {
    await inConsole('c-1', 500);
    desk.wechat.end('c-1', 'SUCCESS', { transactionId: '42' });
    await note('c-1');
    expect(counted(await desk.reconcile(30))).toMatchObject({ mismatched: 1 });

    expect(await mine()).toEqual([]);
    expect(desk.log.counts).toMatchObject({ RefundMismatch: 1 });
    expect((await factsOf(table)).slice(1)).toMatchObject([
      { type: 'REFUND_MISMATCH', field: 'transactionId', observed: '42', outRefundNo: 'c-1' },
    ]);
  });

  test('and got its row from another run meanwhile has one row', async () => {
    await inConsole('c-1', 500);
    await note('c-1');
    let isFirst = true;
    const racing = watchTable(table, async ({ name, input, send }) => {
      const answer = await send();
      if (name === 'BatchGetItem' && isFirst && JSON.stringify(input).includes('c-1')) {
        isFirst = false;
        await desk.reconcile(30);
      }
      return answer;
    });
    await desk.reconcile(30, racing);

    expect(isFirst).toBe(false);
    expect(await mine()).toHaveLength(1);
    expect((await accountOf(table)).refundableFen).toBe(2299);
  });
});

describe('a payment for a closed order that is to be given back', () => {
  async function payAfterClose(paymentAfterClose: 'keep' | 'refund', refunded = false) {
    const order = await createOrder(table, sampleOrder({ outTradeNo: 'order-0009' }));
    const payment = samplePayment({ outTradeNo: 'order-0009' });
    await applyEvidence(table, order, { kind: 'closed' }, PAID_AT - 1);
    await applyEvidence(table, order, { kind: 'paid', refunded, payment }, PAID_AT, {
      paymentAfterClose,
    });
    return order;
  }
  const number = () => automaticRefundNumberFor(table.scope, orderId('order-0009'));

  test('is refunded by reconcile, once, and says so', async () => {
    const order = await payAfterClose('refund');
    expect(counted(await desk.reconcile(0))).toEqual({ due: 1, stillOpen: 1 });
    expect(await desk.reconcile(1)).toMatchObject({ due: 0 });

    expect(await listRefunds(table, order)).toMatchObject([
      { outRefundNo: number(), source: 'AUTOMATIC', refundFen: 2800, status: 'PROCESSING' },
    ]);
    expect(desk.log.messages('info')).toContain('refund reserved');
    expect(desk.wechat.arrived).toHaveLength(1);
  });

  test('is refunded after a crash between the reservation and the index', async () => {
    const order = await payAfterClose('refund');
    const crashing = watchTable(table, async ({ name, input, send }) => {
      if (name === 'UpdateItem' && String(input['UpdateExpression']).startsWith('REMOVE')) {
        throw new Error('killed');
      }
      return send();
    });
    await desk.reconcile(0, crashing);
    await desk.reconcile(3600);

    expect(await listRefunds(table, order)).toHaveLength(1);
    expect(desk.wechat.arrived).toHaveLength(1);
    expect(await readOrder(table, order)).toMatchObject({ nextCheckAtEpochSeconds: undefined });
  });

  test('is kept when that was decided', async () => {
    const order = await payAfterClose('keep');
    expect(counted(await desk.reconcile(0))).toEqual({});
    expect(await listRefunds(table, order)).toEqual([]);
  });

  test('that went back in the console already is not given back again', async () => {
    const order = await payAfterClose('refund', true);
    const template = await ask('template', 1);
    await desk.wechat.wechatPay.refund({
      ...template,
      outTradeNo: 'order-0009',
      outRefundNo: 'c-1',
      refundFen: 2800,
      refundRequest: template.refundRequest!,
    });
    expect(counted(await desk.reconcile(0))).toEqual({ due: 1, settledMeanwhile: 1 });

    expect(await listRefunds(table, order)).toMatchObject([{ source: 'CONSOLE' }]);
  });
});
