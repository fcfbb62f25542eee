import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import {
  callerOf,
  idempotencyKeyOf,
  orderIdFrom,
  outRefundNoFrom,
  parseRefundEnd,
  parseRefundWish,
  requiredIdempotencyKey,
} from '../../lib/http/refund-request.ts';
import { apiEvent } from '../support/api-event.ts';
import { refusalOf } from '../support/thrown.ts';

const withBody = (body: unknown) => apiEvent({ body: JSON.stringify(body) });
const withPath = (pathParameters: Record<string, string>) => ({
  ...apiEvent({ body: '' }),
  pathParameters,
});
const withAuthorizer = (authorizer: unknown) => {
  const event = apiEvent({ body: '' });
  return {
    ...event,
    requestContext: { ...event.requestContext, authorizer },
  } as unknown as APIGatewayProxyEventV2;
};

describe('who calls', () => {
  test('is whom API Gateway proved', () => {
    const userArn = 'arn:aws:iam::123456789012:user/shop';

    expect(callerOf(withAuthorizer({ iam: { userArn } }))).toBe(userArn);
  });

  test.each([[undefined], [{}], [{ iam: {} }], [{ iam: null }], [{ jwt: { claims: {} } }]])(
    'is nobody on a route without that check: %j',
    (authorizer) => {
      expect(refusalOf(() => callerOf(withAuthorizer(authorizer)))).toEqual({
        code: 'CALLER_UNKNOWN',
        parameters: {},
      });
    },
  );
});

describe('the path', () => {
  test('names an order of the first merchant, and a refund', () => {
    const event = withPath({ outTradeNo: 'order-0001', outRefundNo: 'r|1' });

    expect(orderIdFrom(event)).toEqual({ merchantKey: '', outTradeNo: 'order-0001' });
    expect(outRefundNoFrom(event)).toBe('r|1');
  });

  test.each([{ outTradeNo: 'a' }, { outTradeNo: 'tea#order-0001' }, {}])(
    'that names no order finds none: %j',
    (path) => {
      expect(refusalOf(() => orderIdFrom(withPath(path))).code).toBe('ORDER_NOT_FOUND');
    },
  );

  test('that names no refund finds none', () => {
    expect(outRefundNoFrom(apiEvent({ body: '' }))).toBe('');
    expect(refusalOf(() => orderIdFrom(apiEvent({ body: '' }))).code).toBe('ORDER_NOT_FOUND');
  });
});

describe('the idempotency key', () => {
  const withKey = (key: string) => apiEvent({ body: '', headers: { 'Idempotency-Key': key } });

  test('is as it was sent', () => {
    expect(idempotencyKeyOf(withKey('key-1'))).toBe('key-1');
    expect(requiredIdempotencyKey(withKey('key-1'))).toBe('key-1');
    expect(idempotencyKeyOf(apiEvent({ body: '' }))).toBeUndefined();
  });

  test('is visible ASCII, 128 at most', () => {
    expect(refusalOf(() => idempotencyKeyOf(withKey('x'.repeat(129)))).code).toBe(
      'IDEMPOTENCY_KEY_INVALID',
    );
    expect(refusalOf(() => requiredIdempotencyKey(apiEvent({ body: '' }))).code).toBe(
      'IDEMPOTENCY_KEY_REQUIRED',
    );
  });
});

describe('the body of a refund', () => {
  test.each([
    [{}, {}],
    [{ refundFen: 1 }, { refundFen: 1 }],
    [
      { refundFen: 800, reason: '少发', outRefundNo: 'r-1' },
      { refundFen: 800, reason: '少发', outRefundNo: 'r-1' },
    ],
    [
      { goods: [{ merchantGoodsId: 'a', unitPriceFen: 1, refundFen: 1, quantity: 1 }] },
      { goods: [{ merchantGoodsId: 'a', unitPriceFen: 1, refundFen: 1, quantity: 1 }] },
    ],
  ])('%j is read', (body, wish) => {
    expect(parseRefundWish(withBody(body))).toEqual(wish);
  });

  test.each([
    [{ refundFen: 0 }, 'AMOUNT_INVALID', 'refundFen'],
    [{ refundFen: '1' }, 'AMOUNT_INVALID', 'refundFen'],
    [{ refundFen: null }, 'AMOUNT_INVALID', 'refundFen'],
    [{ refundFen: 1.5 }, 'AMOUNT_INVALID', 'refundFen'],
    [{ reason: 'x'.repeat(81) }, 'TEXT_TOO_LONG', 'reason'],
    [{ reason: 1 }, 'INVALID_REQUEST', 'reason'],
    [{ outRefundNo: 'a b' }, 'INVALID_REQUEST', 'outRefundNo'],
    [{ amount: 1 }, 'INVALID_REQUEST', 'amount'],
    [{ goods: [] }, 'INVALID_REQUEST', 'goods'],
    [{ goods: [{ merchantGoodsId: 'a' }] }, 'INVALID_REQUEST', 'goods[0].unitPriceFen'],
    [[], 'INVALID_REQUEST', 'body'],
  ])('%j is refused by name', (body, code, field) => {
    expect(refusalOf(() => parseRefundWish(withBody(body)))).toMatchObject({
      code,
      parameters: { field },
    });
  });
});

describe('the body of a decision', () => {
  const card = {
    to: 'BUYER_CARD',
    bankType: 'CMB_DEBIT',
    bankAccount: '6225000000000000',
    realName: '张三',
  };

  test('is read', () => {
    expect(parseRefundEnd(withBody({ to: 'MERCHANT_ACCOUNT' }))).toEqual({
      kind: 'MERCHANT_ACCOUNT',
    });
    expect(parseRefundEnd(withBody({ to: 'OTHERWISE', note: '现金退还' }))).toEqual({
      kind: 'OTHERWISE',
      note: '现金退还',
    });
    const { to, ...rest } = card;
    expect(parseRefundEnd(withBody(card))).toEqual({ kind: to, ...rest });
  });

  test.each([
    [{}, 'to'],
    [{ to: 'ELSEWHERE' }, 'to'],
    [{ to: 'OTHERWISE' }, 'note'],
    [{ to: 'OTHERWISE', note: '' }, 'note'],
    [{ to: 'MERCHANT_ACCOUNT', note: 'x' }, 'note'],
    [{ ...card, bankType: 'CMB_CREDIT' }, 'bankType'],
    [{ ...card, bankAccount: '6225 0000' }, 'bankAccount'],
    [{ ...card, realName: '' }, 'realName'],
  ])('%j is refused by name', (body, field) => {
    expect(refusalOf(() => parseRefundEnd(withBody(body)))).toMatchObject({
      code: 'INVALID_REQUEST',
      parameters: { field },
    });
  });
});
