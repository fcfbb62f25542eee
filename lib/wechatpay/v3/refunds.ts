/** Refund, query a refund, end an abnormal one: under `/v3/refund/domestic/refunds`. */
import { WechatPayServiceError } from '../../errors.ts';
import { storedRequestOf } from '../../order/stored-request.ts';
import type { CallOptions, Refunds } from '../operations.ts';
import type {
  AbnormalRefundTarget,
  RefundLookup,
  RefundQueryResult,
  RefundReference,
  RefundResult,
} from '../refund-results.ts';
import { assertSameRefund, settleRefund } from '../refund-settlement.ts';
import { encryptForWechat, type FindEncryptionKey } from './protocol/encrypt.ts';
import { type Answer, call, type V3Client } from './protocol/call.ts';
import { buildRefundRequest, readEvidence, readRefund, REFUNDS_PATH } from './refund-fields.ts';
import { meaningOfRefusal } from './refund-refusals.ts';
import type { SignedRequest } from './protocol/sign.ts';

/** What it takes to refund besides. */
export interface V3RefundClient extends V3Client {
  readonly findEncryptionKey: FindEncryptionKey;
}

/** The refunds of API v3, which knows no list of an order's refunds. */
export function openRefunds(client: V3RefundClient): Refunds {
  return {
    buildRefundRequest,
    refund: async (refund, options) => {
      const { path, body } = storedRequestOf(refund.refundRequest, 'v3');
      return requestRefund(client, refund, async () => ({ path, body }), options);
    },
    queryRefund: (refund, options) => queryRefund(client, refund, options),
    listRefunds: async () => ({ kind: 'not-offered' }),
    endAbnormal: (refund, to, options) =>
      requestRefund(client, refund, () => abnormalRequest(client, refund, to), options),
  };
}

/** The refund's number makes a repeat safe. */
const repeatable = (options: CallOptions) => ({ ...options, repeatable: true });

/** A request, and whose key its secret fields are encrypted for, if it has any. */
interface RefundRequest extends Pick<SignedRequest, 'path' | 'body'> {
  readonly serial?: string;
}

async function requestRefund(
  client: V3RefundClient,
  refund: RefundReference,
  build: () => Promise<RefundRequest>,
  options: CallOptions,
): Promise<RefundResult> {
  return settleRefund(async (watch) => {
    const { path, body, serial } = await build();
    const watched = watch(client.transport);
    const transport: V3Client['transport'] = (request) =>
      watched(
        serial === undefined
          ? request
          : { ...request, headers: { ...request.headers, 'wechatpay-serial': serial } },
      );
    const request = { method: 'POST', path, body } as const;
    const answer = await call({ ...client, transport }, refund.mchid, request, repeatable(options));
    return answer.ok
      ? { kind: 'accepted', refund: readAnswer(answer, refund) }
      : { kind: 'refusal', code: answer.code, text: answer.text };
  }, meaningOfRefusal);
}

/** @throws {RefundMismatchError} when it is about another refund. */
function readAnswer({ json }: Extract<Answer, { ok: true }>, refund: RefundLookup) {
  const message = readRefund(json);
  const totalFen = message.amount.total ?? refund.totalFen;
  return assertSameRefund(refund, readEvidence(message, refund, totalFen));
}

const NOT_FOUND = new Set(['RESOURCE_NOT_EXISTS', 'REFUND_NOT_EXISTS', 'REFUNDNOTEXIST']);

async function queryRefund(
  client: V3Client,
  refund: RefundLookup,
  options: CallOptions,
): Promise<RefundQueryResult> {
  const { mchid, subMchid, outRefundNo } = refund;
  const search = subMchid === undefined ? '' : `?${new URLSearchParams({ sub_mchid: subMchid })}`;
  const path = `${REFUNDS_PATH}/${encodeURIComponent(outRefundNo)}${search}`;
  const request = { method: 'GET', path, body: '' } as const;
  const answer = await call(client, mchid, request, repeatable(options));
  if (answer.ok) {
    return { kind: 'found', refund: readAnswer(answer, refund) };
  }
  if (NOT_FOUND.has(answer.code)) {
    return { kind: 'not-found' };
  }
  throw new WechatPayServiceError('rejected', answer.code, answer.text);
}

/** `apply-abnormal-refund` names the refund by WeChat's own number, and by ours in the body. */
async function abnormalRequest(
  client: V3RefundClient,
  refund: RefundReference & { readonly refundId: string },
  to: AbnormalRefundTarget,
): Promise<RefundRequest> {
  const path = `${REFUNDS_PATH}/${encodeURIComponent(refund.refundId)}/apply-abnormal-refund`;
  const parties = { sub_mchid: refund.subMchid, out_refund_no: refund.outRefundNo };
  if (to.kind === 'MERCHANT_ACCOUNT') {
    return { path, body: JSON.stringify({ ...parties, type: 'MERCHANT_BANK_CARD' }) };
  }
  const { serial, encrypt } = await encryptForWechat(client.findEncryptionKey);
  const body = JSON.stringify({
    ...parties,
    type: 'USER_BANK_CARD',
    bank_type: to.bankType,
    bank_account: encrypt(to.bankAccount),
    real_name: encrypt(to.realName),
  });
  return { path, body, serial };
}
