/**
 * Refunds under random interleavings, faults and crashes, on the real table engine: order, refund
 * rows and reservation never disagree, and whatever is open is brought to its end.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordRefundEvidence } from '../../lib/evidence/refund-record.ts';
import { requestRefund } from '../../lib/evidence/refund-request.ts';
import { checkOrder } from '../../lib/reconcile/order.ts';
import { checkRefund } from '../../lib/reconcile/refund.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { runReconcile } from '../../lib/reconcile/run.ts';
import type { Refund } from '../../lib/refund/refund.ts';
import { digestOfKey } from '../../lib/refund/request.ts';
import type { Table } from '../../lib/table/client.ts';
import { noteRefund } from '../../lib/table/refund-notices.ts';
import { listRefunds, readRefund } from '../../lib/table/refunds.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import type { Fate } from '../support/refund-book.ts';
import { openRefundDesk } from '../support/refund-desk.ts';
import { orderId, samplePayment } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
const TOTAL = 2800;

/** The process dies at this step: before what it does, or after it and before the answer. */
interface Crash {
  readonly step: number;
  readonly isDone: boolean;
}

type Deed =
  | { readonly do: 'ask'; readonly key: number; readonly fen: number | undefined }
  | { readonly do: 'reconcile' }
  | { readonly do: 'notice'; readonly pick: number }
  | { readonly do: 'console'; readonly fen: number }
  | {
      readonly do: 'end';
      readonly pick: number;
      readonly status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
    };

interface Round {
  readonly afterSeconds: number;
  readonly deeds: readonly (readonly [Deed, Crash | undefined])[];
  readonly fates: readonly Fate[];
}

const fates: Fate[] = [
  'accepted',
  'lost',
  'late',
  'not-arrived',
  'not-sent',
  'refused',
  'refused-in-doubt',
  'not-enough',
  'no-auth',
  'too-often',
];

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    key: fc.nat(5),
    fen: fc.option(fc.integer({ min: 1, max: 1500 }), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('reconcile' as const) }),
  fc.record({ do: fc.constant('notice' as const), pick: fc.nat(9) }),
  fc.record({ do: fc.constant('console' as const), fen: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({
    do: fc.constant('end' as const),
    pick: fc.nat(9),
    status: fc.constantFrom('SUCCESS', 'CLOSED', 'ABNORMAL'),
  }),
);
const crash = fc.option(fc.record({ step: fc.nat(6), isDone: fc.boolean() }), {
  nil: undefined,
  freq: 2,
});
const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({
    afterSeconds: fc.constantFrom(0, 1, 61, 301, 1801, 90_000),
    deeds: fc.array(fc.tuple(deed, crash), { minLength: 1, maxLength: 4 }),
    fates: fc.array(fc.constantFrom(...fates), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** A table and WeChat that a process reaches until it dies. */
function mortal(desk: ReturnType<typeof openRefundDesk>, table: Table, death: Crash | undefined) {
  let step = 0;
  let isDead = false;
  const live = async <T>(act: () => Promise<T>): Promise<T> => {
    if (isDead) {
      throw new Error('dead');
    }
    const isLast = step === death?.step;
    step += 1;
    if (!isLast) {
      return act();
    }
    if (death?.isDone) {
      await act();
    }
    isDead = true;
    throw new Error('killed');
  };
  const wechat = desk.context.wechatPay();
  return {
    ...desk.context,
    table: watchTable(table, async ({ send }) => live(send)),
    wechatPay: () => ({
      ...wechat,
      refund: async (...of: Parameters<typeof wechat.refund>) => live(() => wechat.refund(...of)),
      queryRefund: async (...of: Parameters<typeof wechat.queryRefund>) =>
        live(() => wechat.queryRefund(...of)),
      listRefunds: async (...of: Parameters<typeof wechat.listRefunds>) =>
        live(() => wechat.listRefunds(...of)),
    }),
  };
}

async function openCase() {
  const table = await newTable();
  await givePaidOrder(table);
  const desk = openRefundDesk(table);
  let consoleRefunds = 0;

  async function perform(one: Deed, death: Crash | undefined): Promise<void> {
    const context = { ...mortal(desk, table, death), patience: startPatience() };
    const known = [...desk.wechat.book.values()];
    switch (one.do) {
      case 'ask': {
        const keyDigest = digestOfKey(`key-${one.key}`);
        const caller = { keyDigest, requestedBy: undefined };
        await requestRefund(context, orderId(), { refundFen: one.fen }, caller);
        break;
      }
      case 'reconcile':
        await runReconcile(
          { ...context, onProgress: () => undefined },
          { order: (id) => checkOrder(context, id), refund: (id) => checkRefund(context, id) },
        );
        break;
      case 'notice': {
        const evidence = known[one.pick % known.length];
        if (!evidence) {
          break;
        }
        const id = { ...orderId(), outRefundNo: evidence.outRefundNo };
        const { refund } = await readRefund(context.table, id);
        await (refund
          ? recordRefundEvidence(context, refund, evidence)
          : noteRefund(context.table, id, id.outRefundNo, desk.clock.at));
        break;
      }
      case 'console':
        consoleRefunds += 1;
        await inConsole(`console-${consoleRefunds}`, one.fen);
        break;
      case 'end': {
        const evidence = known[one.pick % known.length];
        if (evidence && (evidence.status === 'PROCESSING' || evidence.status === 'ABNORMAL')) {
          desk.wechat.end(evidence.outRefundNo, one.status);
        }
        break;
      }
    }
  }

  /** A person refunds in the console; the notice of it may be lost, so it is given at the end. */
  async function inConsole(outRefundNo: string, refundFen: number) {
    const spentFen = [...desk.wechat.book.values()]
      .filter(({ status }) => status !== 'CLOSED')
      .reduce((sum, each) => sum + each.refundFen, 0);
    if (spentFen + refundFen > TOTAL) {
      return;
    }
    desk.wechat.book.set(outRefundNo, {
      mchid: '1900000109',
      outTradeNo: 'order-0001',
      transactionId: samplePayment().transactionId,
      outRefundNo,
      refundId: `c-${outRefundNo}`,
      refundFen,
      totalFen: TOTAL,
      currency: 'CNY',
      status: 'PROCESSING',
    });
  }

  return { table, desk, perform };
}

const sumOf = (refunds: readonly Refund[]) =>
  refunds.reduce((sum, { refundFen }) => sum + refundFen, 0);

/** What holds at every moment, whoever died where. */
async function assertAgreement(table: Table) {
  const refunds = await listRefunds(table, orderId());
  const reserved = refunds.filter(({ status }) => status !== 'CLOSED');
  const proved = reserved.filter(({ status }) => status !== 'PENDING');
  const counted = refunds.filter(
    ({ status, refundId }) => status !== 'CLOSED' || refundId !== undefined,
  );
  const account = await accountOf(table);

  expect({
    left: account.refundableFen,
    back: account.refundedFen ?? 0,
    proved: account.provedFen ?? 0,
    count: account.refundCount ?? 0,
    isRefund: account.tradeState === 'REFUND' || proved.length === 0,
  }).toEqual({
    left: TOTAL - sumOf(reserved),
    back: sumOf(reserved),
    proved: sumOf(proved),
    count: counted.length - closedConsole(refunds),
    isRefund: true,
  });
  // Our own never exceed the payment, whatever people do in the console.
  expect(sumOf(reserved.filter(({ source }) => source !== 'CONSOLE'))).toBeLessThanOrEqual(TOTAL);
  const inIndex = new Set((await allRows(table, 'index')).map((row) => row['SK']?.S));
  const isOpen = ({ status }: Refund) => status !== 'SUCCESS' && status !== 'CLOSED';
  expect(
    refunds.map((refund) => [refund.outRefundNo, inIndex.has(`REFUND#${refund.outRefundNo}`)]),
  ).toEqual(refunds.map((refund) => [refund.outRefundNo, isOpen(refund)]));
}

/** Refunds of the console that were closed before they had a row: they never counted. */
const closedConsole = (refunds: readonly Refund[]) =>
  refunds.filter(
    ({ status, source, changedAtEpochMs, acceptedAtEpochSeconds = 0, checks, round }) =>
      status === 'CLOSED' &&
      source === 'CONSOLE' &&
      checks === 0 &&
      round === 0 &&
      changedAtEpochMs === acceptedAtEpochSeconds * 1000,
  ).length;

describe('refunds', () => {
  test('under faults, crashes and interleavings agree with their order at every moment, and end as WeChat says', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (course) => {
        const { table, desk, perform } = await openCase();
        for (const { afterSeconds, deeds, fates: next } of course) {
          desk.wechat.deliverLate((desk.clock.at + afterSeconds) * 1000);
          desk.clock.at += afterSeconds;
          desk.wechat.fates.splice(0, Infinity, ...next);
          await Promise.allSettled(deeds.map(([one, death]) => perform(one, death)));
          await assertAgreement(table);
        }

        // The storm is over: WeChat answers, and everybody lives.
        desk.wechat.fates.length = 0;
        desk.wechat.deliverLate(Number.POSITIVE_INFINITY);
        for (const { outRefundNo } of desk.wechat.book.values()) {
          await perform({ do: 'notice', pick: 0 }, undefined);
          await noteRefund(table, orderId(), outRefundNo, desk.clock.at);
        }
        for (let day = 0; day < 8; day += 1) {
          for (const pauseSeconds of [61, 601, 1801, 84_000]) {
            desk.clock.at += pauseSeconds;
            await perform({ do: 'reconcile' }, undefined);
          }
          for (const { outRefundNo, status } of desk.wechat.book.values()) {
            if (status === 'PROCESSING' || status === 'ABNORMAL') {
              desk.wechat.end(outRefundNo, 'SUCCESS');
            }
          }
        }
        await assertAgreement(table);

        const refunds = await listRefunds(table, orderId());
        const ours = refunds.map(({ outRefundNo, refundFen, status, refundId }) =>
          // What WeChat refused is in no book of WeChat's.
          ({ outRefundNo, refundFen, status, isThere: refundId !== undefined }),
        );
        const theirs = [...desk.wechat.book.values()].map(({ outRefundNo, refundFen, status }) => ({
          outRefundNo,
          refundFen,
          status,
          isThere: true,
        }));
        const byNumber = (a: { outRefundNo: string }, b: { outRefundNo: string }) =>
          a.outRefundNo < b.outRefundNo ? -1 : 1;
        expect(ours.filter(({ isThere }) => isThere).toSorted(byNumber)).toEqual(
          theirs.toSorted(byNumber),
        );
        expect(ours.filter(({ isThere, status }) => !isThere && status !== 'CLOSED')).toEqual([]);

        // Without a refund of the console, none of ours can be more than is left.
        const isOursAlone = theirs.every(({ outRefundNo }) => !outRefundNo.startsWith('console'));
        expect(isOursAlone ? desk.wechat.aboveThePayment : []).toEqual([]);

        // One key is one number, and one number always the same request.
        const requests = new Map<string, Set<string>>();
        for (const { outRefundNo, refundRequest } of desk.wechat.arrived) {
          const seen = requests.get(outRefundNo) ?? new Set();
          const fields = refundRequest.apiVersion === 'v2' ? refundRequest.fields : {};
          requests.set(outRefundNo, seen.add(`${fields['out_refund_no']} ${fields['refund_fee']}`));
        }
        expect([...requests.values()].every(({ size }) => size === 1)).toBe(true);
      }),
      { numRuns: 25 },
    );
  }, 240_000);
});
