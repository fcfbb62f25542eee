import { beforeEach, describe, expect, test } from 'vitest';
import { endRefund, type RefundEnd } from '../../lib/evidence/refund-end.ts';
import type { Refund } from '../../lib/refund/refund.ts';
import { decideRefund } from '../../lib/refund/transition.ts';
import type { Table } from '../../lib/table/client.ts';
import { changeRefund } from '../../lib/table/refund-change.ts';
import { readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import type { NotOffered, RefundResult } from '../../lib/wechatpay/refund-results.ts';
import { recordRefundEvidence } from '../../lib/evidence/refund-record.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { recordingLog } from '../support/recording-log.ts';
import { orderId } from '../support/sample-orders.ts';
import {
  ASKED_AT,
  OUT_REFUND_NO,
  refundEvidence,
  sampleRefund,
} from '../support/sample-refunds.ts';

const newTable = useEmbeddedTables();
let table: Table;
let log: ReturnType<typeof recordingLog>;
let calls: unknown[];

beforeEach(async () => {
  table = await newTable();
  log = recordingLog();
  calls = [];
  await givePaidOrder(table);
});

const id = { ...orderId(), outRefundNo: OUT_REFUND_NO };
const nowMs = () => (ASKED_AT + 100) * 1000;
const stored = async () => (await readRefund(table, id)).refund as Refund;

/** A refund whose money could not reach the buyer. */
async function given(changes: Partial<Refund> = {}): Promise<Refund> {
  const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
  const request = { apiVersion: 'v3', path: '/v3/refund/domestic/refunds', body: '{}' } as const;
  const refund = sampleRefund({ apiVersion: 'v3', refundRequest: request, ...changes });
  await reserveRefund(table, refund, turns, undefined);
  await recordRefundEvidence(
    { table, log, nowMs: () => ASKED_AT * 1000 },
    refund,
    refundEvidence({ status: 'ABNORMAL' }),
  );
  return stored();
}

const MERCHANT: RefundEnd = { kind: 'MERCHANT_ACCOUNT' };
const OTHERWISE: RefundEnd = { kind: 'OTHERWISE', note: '现金退还' };
const accepted: RefundResult = { kind: 'accepted', refund: refundEvidence() };
const failure = { code: 'INVALID_REQUEST', message: '不支持' };

async function decide(
  end: RefundEnd,
  { key = 'key-1', word = accepted }: { key?: string; word?: RefundResult | NotOffered } = {},
) {
  const endAbnormal = async (refund: { refundId: string }, to: unknown) => {
    calls.push([refund.refundId, to]);
    return word;
  };
  const context = { table, log, nowMs, wechatPay: () => ({ endAbnormal }) };
  return endRefund(context, id, end, key);
}

describe('a decision about an abnormal refund', () => {
  test.each<RefundEnd>([
    MERCHANT,
    {
      kind: 'BUYER_CARD',
      bankType: 'CMB_DEBIT',
      bankAccount: '6225000000000000',
      realName: '张三',
    },
  ])('goes to WeChat by its own number of the refund: %j', async (end) => {
    await given();
    const refund = await decide(end);

    expect(calls).toEqual([[refundEvidence().refundId, end]]);
    expect(refund).toMatchObject({
      status: 'PROCESSING',
      round: 1,
      abnormalEnd: { to: end.kind, round: 1, decidedAtEpochSeconds: ASKED_AT + 100 },
    });
    expect(await stored()).toEqual(refund);
    expect(JSON.stringify(refund)).not.toMatch(/6225|张三/);
    expect((await accountOf(table)).refundableFen).toBe(2000);
  });

  test('to pay otherwise is noted, asks nobody, and ends the alarm', async () => {
    await given();
    const refund = await decide(OTHERWISE);

    expect(calls).toEqual([]);
    expect(refund).toMatchObject({
      status: 'ABNORMAL',
      abnormalEnd: { to: 'OTHERWISE', note: '现金退还' },
      nextCheckAtEpochSeconds: undefined,
    });
  });

  test('to pay otherwise is possible in v2, and nothing else is', async () => {
    const request = { apiVersion: 'v2', fields: { out_refund_no: OUT_REFUND_NO } } as const;
    await given({ apiVersion: 'v2', refundRequest: request });

    await expect(decide(MERCHANT)).rejects.toMatchObject({ code: 'REFUND_END_NOT_OFFERED' });
    expect((await stored()).abnormalEnd).toBeUndefined();
    expect((await decide(OTHERWISE)).abnormalEnd?.to).toBe('OTHERWISE');
  });

  test('is made once: the same key finds it, another key is refused, another request is 422', async () => {
    await given();
    const first = await decide(OTHERWISE);

    expect(await decide(OTHERWISE)).toEqual(first);
    await expect(decide(OTHERWISE, { key: 'key-2' })).rejects.toMatchObject({
      code: 'REFUND_END_DECIDED',
    });
    await expect(decide(MERCHANT)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(calls).toEqual([]);
  });

  test('that WeChat took is found again by its key once the refund goes on', async () => {
    await given();
    const first = await decide(MERCHANT);

    expect(await decide(MERCHANT)).toEqual(first);
    expect(calls).toHaveLength(1);
    await expect(decide(MERCHANT, { key: 'key-2' })).rejects.toMatchObject({
      code: 'REFUND_NOT_ABNORMAL',
      parameters: { status: 'PROCESSING' },
    });
  });

  test('whose answer was lost stays, is asked about soon, and is sent again by its key', async () => {
    await given();
    const word: RefundResult = { kind: 'unknown', failure, mayHaveReached: true, slower: false };
    expect(await decide(MERCHANT, { word })).toMatchObject({
      status: 'ABNORMAL',
      abnormalEnd: { to: 'MERCHANT_ACCOUNT' },
      nextCheckAtEpochSeconds: ASKED_AT + 160,
    });
    expect((await decide(MERCHANT)).status).toBe('PROCESSING');
    expect(calls).toHaveLength(2);
  });

  test.each<[string, RefundResult]>([
    ['refuses', { kind: 'refused', failure, mayHaveReached: false }],
    [
      'wants a setting mended',
      { kind: 'waiting', waitingFor: 'CONFIG', failure, mayHaveReached: false },
    ],
  ])('that WeChat %s is none, and another may follow', async (_, word) => {
    await given();
    await expect(decide(MERCHANT, { word })).rejects.toMatchObject({
      code: 'REFUND_END_REFUSED',
      parameters: { wechatCode: 'INVALID_REQUEST', wechatText: '不支持' },
    });
    expect((await stored()).abnormalEnd).toBeUndefined();
    expect((await decide(OTHERWISE, { key: 'key-2' })).abnormalEnd?.to).toBe('OTHERWISE');
  });

  test('that WeChat refuses in doubt stays until it is asked', async () => {
    await given();
    const word: RefundResult = { kind: 'refused', failure, mayHaveReached: true };

    expect((await decide(MERCHANT, { word })).abnormalEnd?.to).toBe('MERCHANT_ACCOUNT');
  });

  test('that the version does not offer is none', async () => {
    await given();
    await expect(decide(MERCHANT, { word: { kind: 'not-offered' } })).rejects.toMatchObject({
      code: 'REFUND_END_NOT_OFFERED',
    });
    expect((await stored()).abnormalEnd).toBeUndefined();
  });

  test('of an earlier round does not stand in the way of the next', async () => {
    const refund = await given();
    await decide(MERCHANT);
    const now = await stored();
    const decision = decideRefund(now, refundEvidence({ status: 'ABNORMAL' }), {
      isCurrent: true,
      nowEpochSeconds: ASKED_AT + 200,
    });
    if (decision.kind === 'apply') {
      await changeRefund(table, now, decision.refund, { nowMs: nowMs() });
    }
    expect(await stored()).toMatchObject({ status: 'ABNORMAL', round: refund.round + 1 });
    expect(await decide(OTHERWISE, { key: 'key-2' })).toMatchObject({
      abnormalEnd: { to: 'OTHERWISE', round: 2 },
    });
  });

  test('of a refund that there is not, or that needs none, is refused', async () => {
    await expect(decide(OTHERWISE)).rejects.toMatchObject({ code: 'REFUND_NOT_FOUND' });
    const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
    await reserveRefund(table, sampleRefund(), turns, undefined);
    await expect(decide(OTHERWISE)).rejects.toMatchObject({ code: 'REFUND_NOT_ABNORMAL' });
  });

  test('that meets another one at the same moment is refused: one of them holds', async () => {
    await given();
    const both = await Promise.allSettled([
      decide(OTHERWISE, { key: 'key-1' }),
      decide({ ...OTHERWISE, note: '转账' }, { key: 'key-2' }),
    ]);

    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('that WeChat refuses after the refund went on by itself changes nothing', async () => {
    await given();
    const endAbnormal = async () => {
      await recordRefundEvidence(
        { table, log, nowMs },
        await stored(),
        refundEvidence({ status: 'SUCCESS' }),
      );
      return { kind: 'refused', failure, mayHaveReached: false } as const;
    };
    const context = { table, log, nowMs, wechatPay: () => ({ endAbnormal }) };

    expect(await endRefund(context, id, MERCHANT, 'key-1')).toMatchObject({ status: 'SUCCESS' });
  });

  test('and whose money arrives after it was paid otherwise rings: the buyer has it twice', async () => {
    await given();
    await decide(OTHERWISE);
    await recordRefundEvidence(
      { table, log, nowMs },
      await stored(),
      refundEvidence({ status: 'SUCCESS' }),
    );

    expect(await moneyAlarms(table)).toMatchObject({ RefundMismatch: 1 });
    expect(log.messages('error')).toContain('a refund arrived that was paid otherwise as well');
  });
});
