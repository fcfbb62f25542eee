/**
 * What becomes of a finding: the rows themselves are read, WeChat is asked, and what its signed answer
 * proves is recorded. A line of the bill alone changes nothing.
 */
import type { Finding } from '../bill/compare.ts';
import { askAndRecord } from '../evidence/ask.ts';
import { recordRefundEvidence } from '../evidence/refund-record.ts';
import { FIRST_MERCHANT } from '../order/order-id.ts';
import { isPaid, type Order } from '../order/order.ts';
import type { Refund } from '../refund/refund.ts';
import { describeError } from '../runtime/log.ts';
import type { Difference, Repair } from '../table/bill-difference-row.ts';
import { noteRefund } from '../table/refund-notices.ts';
import { readRefund } from '../table/refunds.ts';
import { readOrder } from '../table/orders.ts';
import { type BillContext, epochSecondsOf } from './context.ts';
import { findOtherBill } from './other-bill.ts';

/**
 * `repaired`: by what WeChat proved. `elsewhere`: both sides have it, on different days. `foreign`: of another system. Else it is a difference, with what WeChat says, if it was asked.
 */
export type Judgement =
  | { readonly kind: 'difference'; readonly difference: Difference }
  | { readonly kind: 'repaired'; readonly difference: Difference; readonly repair: Repair }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'foreign' };

const WECHAT_TIMEOUT_MS = 8_000;

/** Amounts, place and numbers of a finding. */
export function differenceOf(
  { kind, subject, key, here, there }: Finding,
  sha1: string | undefined,
): Difference {
  const fee = kind === 'FEE_DIFFERS' ? there?.fee : undefined;
  return {
    kind,
    subject,
    key,
    outTradeNo: here?.outTradeNo ?? there?.outTradeNo ?? '',
    ...(subject === 'refund'
      ? { outRefundNo: key, transactionId: there?.transactionId }
      : { transactionId: key }),
    hereFen: fee ? fee.expected / 1_000 : here?.fen,
    thereFen: fee ? fee.charged / 1_000 : there?.fen,
    line: there?.line,
    sha1: there && sha1,
  };
}

/** Judges a finding; an error in asking leaves it a difference. */
export async function judgeFinding(
  context: BillContext,
  date: string,
  finding: Finding,
  sha1: string | undefined,
): Promise<Judgement> {
  const difference = differenceOf(finding, sha1);
  // Of these no answer of WeChat's knows more.
  if (finding.kind === 'FEE_DIFFERS' || finding.kind === 'DUPLICATE') {
    return { kind: 'difference', difference };
  }
  try {
    const isMissing = finding.kind.endsWith('MISSING_THERE');
    if (isMissing && (await findOtherBill(context, date, finding)) === 'in-another-bill') {
      return { kind: 'elsewhere' };
    }
    return finding.subject === 'payment'
      ? await judgePayment(context, finding, difference)
      : await judgeRefund(context, finding, difference);
  } catch (error) {
    const { outTradeNo } = difference;
    context.log.warn('a difference could not be looked into', {
      ...describeError(error),
      outTradeNo,
    });
    return { kind: 'difference', difference: { ...difference, wechat: 'NOT_ASKED' } };
  }
}

async function judgePayment(
  context: BillContext,
  finding: Finding,
  difference: Difference,
): Promise<Judgement> {
  const { outTradeNo } = difference;
  const order = await readOrder(context.table, { merchantKey: FIRST_MERCHANT, outTradeNo });
  if (!order) {
    return context.isForeign(outTradeNo) ? { kind: 'foreign' } : { kind: 'difference', difference };
  }
  if (finding.kind === 'MISSING_HERE' && isPaid(order)) {
    return judgePaidOrder(order, finding, difference);
  }
  const recorded = await askAndRecord(context, order, { timeoutMs: WECHAT_TIMEOUT_MS });
  const { decision } = recorded ?? {};
  if (finding.kind !== 'MISSING_HERE') {
    return { kind: 'difference', difference: { ...difference, wechat: saidOf(recorded) } };
  }
  return recorded?.evidence.kind === 'paid' &&
    (decision?.kind === 'apply' || decision?.kind === 'duplicate')
    ? { kind: 'repaired', difference, repair: 'PAYMENT_RECORDED' }
    : {
        kind: 'difference',
        difference: {
          ...difference,
          kind: decision?.kind === 'mismatch' ? mismatchKind(decision.field) : 'STATE_DIFFERS',
          hereFen: order.totalFen,
          wechat: saidOf(recorded),
        },
      };
}

const saidOf = (recorded: Awaited<ReturnType<typeof askAndRecord>>) =>
  recorded === undefined ? 'NOT_PAID' : recorded.evidence.kind.toUpperCase();

/** What contradicted the order when WeChat was asked about its payment. */
function mismatchKind(field: string): Difference['kind'] {
  if (field === 'totalFen' || field === 'currency') {
    return 'AMOUNT_DIFFERS';
  }
  return /appid|mchid/i.test(field) ? 'MERCHANT_DIFFERS' : 'STATE_DIFFERS';
}

/** An order that is paid here, and not by this payment on this day. */
function judgePaidOrder(order: Order, { key, there }: Finding, difference: Difference): Judgement {
  const { transactionId, paidAtEpochSeconds, totalFen } = order;
  if (transactionId !== key || paidAtEpochSeconds === undefined) {
    // Paid twice.
    return {
      kind: 'difference',
      difference: { ...difference, kind: 'DUPLICATE', hereFen: totalFen },
    };
  }
  return totalFen === there?.fen
    ? { kind: 'elsewhere' }
    : {
        kind: 'difference',
        difference: { ...difference, kind: 'AMOUNT_DIFFERS', hereFen: totalFen },
      };
}

async function judgeRefund(
  context: BillContext,
  finding: Finding,
  difference: Difference,
): Promise<Judgement> {
  const { outTradeNo } = difference;
  const outRefundNo = finding.key;
  const { order, refund } = await readRefund(context.table, {
    merchantKey: FIRST_MERCHANT,
    outTradeNo,
    outRefundNo,
  });
  if (!order) {
    return context.isForeign(outTradeNo) ? { kind: 'foreign' } : { kind: 'difference', difference };
  }
  if (!refund) {
    return judgeConsoleRefund(context, order, finding, difference);
  }
  const isMissingHere = finding.kind === 'REFUND_MISSING_HERE';
  if (isMissingHere && refund.acceptedAtEpochSeconds !== undefined) {
    return refund.refundFen === finding.there?.fen
      ? { kind: 'elsewhere' }
      : {
          kind: 'difference',
          difference: {
            ...difference,
            kind: 'REFUND_AMOUNT_DIFFERS',
            hereFen: refund.refundFen,
          },
        };
  }
  const { decision, wechat } = await askAboutRefund(context, refund);
  return isMissingHere && (decision === 'apply' || decision === 'duplicate')
    ? { kind: 'repaired', difference, repair: 'REFUND_RECORDED' }
    : {
        kind: 'difference',
        difference: { ...difference, hereFen: refund.refundFen, wechat },
      };
}

async function askAboutRefund(context: BillContext, refund: Refund) {
  const options = { timeoutMs: WECHAT_TIMEOUT_MS };
  const found = await context.wechatPay(refund).queryRefund(refund, options);
  if (found.kind === 'not-found') {
    return { decision: undefined, wechat: 'NOT_FOUND' };
  }
  const { decision } = await recordRefundEvidence(context, refund, found.refund);
  return { decision, wechat: found.refund.status };
}

/**
 * A refund that nobody asked for here: made in the merchant console. Once WeChat's own answer shows
 * it, its order is left due, and reconcile makes its row.
 */
async function judgeConsoleRefund(
  context: BillContext,
  order: Order,
  { key: outRefundNo, there }: Finding,
  difference: Difference,
): Promise<Judgement> {
  const options = { timeoutMs: WECHAT_TIMEOUT_MS };
  const transactionId = order.transactionId ?? there?.transactionId ?? '';
  const about = { ...order, transactionId, outRefundNo };
  const found = await context.wechatPay(order).queryRefund(about, options);
  if (found.kind === 'not-found') {
    return { kind: 'difference', difference: { ...difference, wechat: 'NOT_FOUND' } };
  }
  if (!isPaid(order)) {
    await askAndRecord(context, order, options);
  }
  const noted = await noteRefund(context.table, order, outRefundNo, epochSecondsOf(context));
  return noted === 'noted'
    ? { kind: 'repaired', difference, repair: 'ORDER_LEFT_DUE' }
    : { kind: 'difference', difference: { ...difference, wechat: found.refund.status } };
}
