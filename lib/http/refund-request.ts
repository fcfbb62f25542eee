/** What the merchant's systems ask for about refunds: who, which order, what; read, checked, refused by name. */
import type { APIGatewayProxyEventV2, APIGatewayProxyEventV2WithIAMAuthorizer } from 'aws-lambda';
import * as v from 'valibot';
import { CallerUnknownError, InvalidRequestError, OrderNotFoundError } from '../errors.ts';
import { FIRST_MERCHANT, type OrderId } from '../order/order-id.ts';
import { assertText, isOutTradeNo } from '../order/order.ts';
import { assertRefundReason } from '../refund/content.ts';
import type { RefundWish } from '../refund/request.ts';
import { assertOutRefundNo, assertRefundFen } from '../refund/rules.ts';
import { header, invalidField, parse, readJson } from './input.ts';

const MAX_GOODS = 100;
const MAX_NOTE_BYTES = 500;

/**
 * Who calls: an ARN of the merchant's AWS account, as API Gateway proved it.
 *
 * @throws {CallerUnknownError} when the route has no such check; nobody is let in by mistake.
 */
export function callerOf(event: APIGatewayProxyEventV2): string {
  // Whatever calls a function has an answer, also what is no API's event.
  const context = event.requestContext as
    | Partial<APIGatewayProxyEventV2WithIAMAuthorizer['requestContext']>
    | undefined;
  const userArn = context?.authorizer?.iam?.userArn;
  if (!userArn) {
    throw new CallerUnknownError();
  }
  return userArn;
}

/** @throws {OrderNotFoundError} for what cannot be an order's number. */
export function orderIdFrom({ pathParameters }: APIGatewayProxyEventV2): OrderId {
  const outTradeNo = pathParameters?.['outTradeNo'] ?? '';
  if (!isOutTradeNo(outTradeNo)) {
    throw new OrderNotFoundError();
  }
  return { merchantKey: FIRST_MERCHANT, outTradeNo };
}

/** The refund that a path names. */
export const outRefundNoFrom = ({ pathParameters }: APIGatewayProxyEventV2): string =>
  pathParameters?.['outRefundNo'] ?? '';

/** @throws {InvalidRequestError} `IDEMPOTENCY_KEY_INVALID` */
export function idempotencyKeyOf(event: APIGatewayProxyEventV2): string | undefined {
  const key = header(event, 'idempotency-key');
  if (key !== undefined && !/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_INVALID');
  }
  return key;
}

/** @throws {InvalidRequestError} `IDEMPOTENCY_KEY_REQUIRED` or `IDEMPOTENCY_KEY_INVALID` */
export function requiredIdempotencyKey(event: APIGatewayProxyEventV2): string {
  const key = idempotencyKeyOf(event);
  if (key === undefined) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_REQUIRED');
  }
  return key;
}

const goodsSchema = v.strictObject({
  merchantGoodsId: v.string(),
  wechatpayGoodsId: v.optional(v.string()),
  goodsName: v.optional(v.string()),
  unitPriceFen: v.number(),
  refundFen: v.number(),
  quantity: v.number(),
});

const refundSchema = v.strictObject({
  refundFen: v.optional(v.unknown()),
  reason: v.optional(v.string()),
  outRefundNo: v.optional(v.string()),
  goods: v.optional(v.pipe(v.array(goodsSchema), v.minLength(1), v.maxLength(MAX_GOODS))),
});

/**
 * The refund that a body asks for; `{}` is all that is left. Goods are compared with the amount when
 * it is known.
 *
 * @throws {InvalidRequestError} naming the field.
 */
export function parseRefundWish(event: APIGatewayProxyEventV2): RefundWish {
  const { refundFen, reason, outRefundNo, goods } = parse(refundSchema, readJson(event));
  assertRefundFen(refundFen);
  if (reason !== undefined) {
    assertRefundReason('reason', reason);
  }
  if (outRefundNo !== undefined) {
    assertOutRefundNo('outRefundNo', outRefundNo);
  }
  return { refundFen, reason, outRefundNo, goods };
}

/** WeChat: debit cards of these banks only (`apply-abnormal-refund`). */
const BANKS = [
  'CMB',
  'COMM',
  'ABC',
  'CCB',
  'ICBC',
  'BOC',
  'PAB',
  'SPDB',
  'CITIC',
  'CEB',
  'CMBC',
  'CIB',
  'GDB',
  'PSBC',
  'NBCB',
] as const;

const endSchema = v.variant('to', [
  v.strictObject({ to: v.literal('MERCHANT_ACCOUNT') }),
  v.strictObject({
    to: v.literal('BUYER_CARD'),
    bankType: v.picklist(BANKS.map((bank) => `${bank}_DEBIT` as const)),
    bankAccount: v.string(),
    realName: v.string(),
  }),
  v.strictObject({ to: v.literal('OTHERWISE'), note: v.string() }),
]);

/** What a body decides about an abnormal refund. */
export type ParsedEnd =
  | { readonly kind: 'MERCHANT_ACCOUNT' }
  | {
      readonly kind: 'BUYER_CARD';
      readonly bankType: string;
      readonly bankAccount: string;
      readonly realName: string;
    }
  | { readonly kind: 'OTHERWISE'; readonly note: string };

/** @throws {InvalidRequestError} naming the field. */
export function parseRefundEnd(event: APIGatewayProxyEventV2): ParsedEnd {
  const end = parse(endSchema, readJson(event));
  switch (end.to) {
    case 'MERCHANT_ACCOUNT':
      return { kind: end.to };
    case 'OTHERWISE':
      assertText('note', end.note, MAX_NOTE_BYTES);
      return { kind: end.to, note: end.note };
    case 'BUYER_CARD': {
      const { to, bankType, bankAccount, realName } = end;
      if (!/^\d{12,32}$/.test(bankAccount)) {
        throw invalidField('bankAccount', { problem: '12 to 32 digits' });
      }
      assertText('realName', realName);
      return { kind: to, bankType, bankAccount, realName };
    }
  }
}
