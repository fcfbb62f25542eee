/** Refund and query refunds: `/secapi/pay/refund`, `/pay/refundquery`. */
import {
  WechatPayMalformedMessageError,
  WechatPayNotReadyError,
  WechatPayServiceError,
} from '../../errors.ts';
import { storedRequestOf } from '../../order/stored-request.ts';
import type { RefundEvidence } from '../../refund/refund.ts';
import type { CallOptions, Refunds } from '../operations.ts';
import type {
  RefundListResult,
  RefundLookup,
  RefundQueryResult,
  RefundResult,
  StoredRefund,
} from '../refund-results.ts';
import { assertSameRefund, settleRefund } from '../refund-settlement.ts';
import { secretOf } from '../secret-of.ts';
import {
  behindGate,
  type OpenCertifiedTransport,
  openCertifiedTransports,
} from './certified-transport.ts';
import { referenceFields } from './party-fields.ts';
import { call, type V2Client } from './protocol/call.ts';
import { readAccepted, readPage, refundFields, type RefundPage } from './refund-fields.ts';
import { meaningOfRefusal } from './refund-refusals.ts';

type OrderOfRefunds = Parameters<Refunds['listRefunds']>[0];

/** What it takes to refund besides. */
export interface V2RefundClient extends V2Client {
  readonly openCertifiedTransport: OpenCertifiedTransport;
}

/** The refunds of API v2. Only `refund` shows the client certificate. */
export function openRefunds(client: V2RefundClient): Refunds {
  const certified = openCertifiedTransports(client.openCertifiedTransport);
  return {
    buildRefundRequest: (refund) => ({
      apiVersion: 'v2',
      fields: refundFields(refund, client.signType),
    }),
    refund: (refund, options) => requestRefund(client, certified, refund, options),
    queryRefund: (refund, options) => queryRefund(client, refund, options),
    listRefunds: (order, options) => listRefunds(client, order, options),
    endAbnormal: async () => ({ kind: 'not-offered' }),
  };
}

/** The refund's number makes a repeat safe. */
const repeatable = (options: CallOptions) => ({ ...options, repeatable: true });

async function requestRefund(
  client: V2RefundClient,
  certified: ReturnType<typeof openCertifiedTransports>,
  refund: StoredRefund,
  options: CallOptions,
): Promise<RefundResult> {
  const { fields } = storedRequestOf(refund.refundRequest, 'v2');
  return settleRefund(async (watch) => {
    const secret = await secretOf(client.merchant, fields['mch_id']);
    const transport = behindGate(watch(certified(secret)), secret, client.nowMs);
    const path = '/secapi/pay/refund';
    const answer = await call({ ...client, transport }, path, fields, repeatable(options));
    return answer.ok
      ? { kind: 'accepted', refund: assertSameRefund(refund, readAccepted(answer.fields, refund)) }
      : { kind: 'refusal', code: answer.code, text: answer.text };
  }, meaningOfRefusal);
}

async function queryRefund(
  client: V2Client,
  refund: RefundLookup,
  options: CallOptions,
): Promise<RefundQueryResult> {
  const page = await queryPage(client, refund, { out_refund_no: refund.outRefundNo }, options);
  if (!page) {
    return { kind: 'not-found' };
  }
  const found = page.refunds.find(({ outRefundNo }) => outRefundNo === refund.outRefundNo);
  if (!found) {
    throw new WechatPayMalformedMessageError('the answer is about another refund');
  }
  return { kind: 'found', refund: assertSameRefund(refund, found) };
}

/** An order has 50 refunds at most, and a page 10. */
const MAX_PAGES = 6;

/** Page by page, until all that WeChat counts are there. */
async function listRefunds(
  client: V2Client,
  order: OrderOfRefunds,
  { timeoutMs }: CallOptions,
): Promise<RefundListResult> {
  const deadlineMs = client.nowMs() + timeoutMs;
  const found = new Map<string, RefundEvidence>();
  for (let offset = 0, pages = 0; pages < MAX_PAGES; pages += 1) {
    const about = { transaction_id: order.transactionId, offset: String(offset) };
    const leftMs = Math.max(1, Math.min(timeoutMs, deadlineMs - client.nowMs()));
    const page = await queryPage(client, order, about, { timeoutMs: leftMs });
    const { refunds, total } = page ?? { refunds: [], total: 0 };
    for (const refund of refunds) {
      found.set(refund.refundId, assertOfOrder(order, refund));
    }
    if (found.size === total) {
      return { kind: 'listed', refunds: [...found.values()] };
    }
    offset += refunds.length;
    if (refunds.length === 0 || offset >= total) {
      break;
    }
  }
  throw new WechatPayNotReadyError('the list of refunds changed while it was read');
}

function assertOfOrder(
  { mchid, subMchid, outTradeNo, transactionId, totalFen }: OrderOfRefunds,
  refund: RefundEvidence,
): RefundEvidence {
  const asked = { mchid, subMchid, outTradeNo, transactionId, totalFen };
  return assertSameRefund({ ...refund, ...asked }, refund);
}

/** One call of `refundquery`; nothing when WeChat knows no refund of that kind. */
async function queryPage(
  client: V2Client,
  asked: OrderOfRefunds,
  about: Readonly<Record<string, string>>,
  options: CallOptions,
): Promise<RefundPage | undefined> {
  const fields = { ...referenceFields(client, asked), ...about };
  const answer = await call(client, '/pay/refundquery', fields, repeatable(options));
  if (answer.ok) {
    return readPage(answer.fields, asked);
  }
  if (answer.code === 'REFUNDNOTEXIST') {
    return undefined;
  }
  throw new WechatPayServiceError('rejected', answer.code, answer.text);
}
