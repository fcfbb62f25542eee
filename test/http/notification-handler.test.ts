import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  WechatPayMalformedMessageError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../lib/errors.ts';
import { UnknownMerchantError } from '../../lib/wechatpay/open.ts';
import { notificationHandler } from '../../lib/http/notification-handler.ts';
import type { Decision } from '../../lib/order/transition.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';

const lambda = { awsRequestId: 'lambda-0001' };

/** One notification of API v3 whose operation ends so. */
async function deliver(ending: Decision | Error) {
  const recorded = recordedFunction();
  const handler = notificationHandler(
    async () => {
      if (ending instanceof Error) {
        throw ending;
      }
      return ending;
    },
    () => ({}),
    recorded,
  );
  const answer = await handler({ ...apiEvent(), rawPath: '/notify/v3' }, lambda);
  return { ...answer, json: JSON.parse(answer.body ?? ''), recorded };
}

const apply: Decision = { kind: 'apply', from: 'NOTPAY', to: 'SUCCESS', paidAfterClose: false };

describe('a notification', () => {
  test.each([apply, { kind: 'duplicate' }] as Decision[])(
    'that is recorded is received: $kind',
    async (decision) => {
      const { statusCode, json, headers, recorded } = await deliver(decision);

      expect(recorded.lambdaRequestIds).toEqual(['lambda-0001']);

      expect([statusCode, json]).toEqual([200, { code: 'SUCCESS', message: 'OK' }]);
      expect(headers).toMatchObject({ 'x-request-id': REQUEST_ID });
      expect(recorded.log.counts).toEqual(
        decision.kind === 'duplicate' ? { NotificationRepeated: 1 } : {},
      );
      expect(recorded.flushes()).toBe(1);
    },
  );

  test.each<[Decision, number, string]>([
    [{ kind: 'stale' }, 409, 'TRANSACTION_MISMATCH'],
    [
      { kind: 'mismatch', field: 'totalFen', expected: '1', observed: '2' },
      409,
      'TRANSACTION_MISMATCH',
    ],
    [{ kind: 'unknown-order' }, 404, 'ORDER_NOT_FOUND'],
  ])('that is not recorded is sent again: $kind', async (decision, status, code) => {
    const { statusCode, json, recorded } = await deliver(decision);

    expect([statusCode, json]).toEqual([status, { code: 'FAIL', message: code }]);
    expect(recorded.log.counts).toEqual({ NotificationRefused: 1 });
  });

  test.each<[Error, number, string, object, string]>([
    [new WechatPaySignatureError('r'), 401, 'SIGNATURE_INVALID', { SignatureRejected: 1 }, 'warn'],
    [new WechatPaySignatureError('r', { isProbe: true }), 401, 'SIGNATURE_INVALID', {}, 'warn'],
    [new WechatPayMalformedMessageError('r'), 400, 'MALFORMED_MESSAGE', {}, 'warn'],
    [new ConfigError('r'), 500, 'CONFIG_ERROR', { ConfigError: 1 }, 'error'],
    [new UnknownMerchantError('r'), 404, 'ROUTE_NOT_FOUND', {}, 'warn'],
    [new WechatPayTransportError('unknown', 'r'), 500, 'WECHAT_UNREACHABLE', {}, 'error'],
    [new TypeError('r'), 500, 'INTERNAL_ERROR', {}, 'error'],
  ])('that fails with %s says so in a code', async (error, status, code, counts, level) => {
    const { statusCode, json, recorded } = await deliver(error);

    expect([statusCode, json]).toEqual([status, { code: 'FAIL', message: code }]);
    expect(recorded.log.counts).toEqual({ NotificationRefused: 1, ...counts });
    expect(recorded.log.lines).toMatchObject([{ level, fields: { reason: 'r' } }]);
    expect(recorded.flushes()).toBe(1);
  });

  test('is answered in the format of its version, under the id that Lambda gave if need be', async () => {
    const recorded = recordedFunction();
    const seen: string[] = [];
    const handler = notificationHandler(
      async (_event, _dependencies, { apiVersion }) => {
        seen.push(apiVersion);
        return apply;
      },
      () => ({}),
      recorded,
    );
    const event = { ...apiEvent(), requestContext: undefined as never };
    const v2 = await handler({ ...event, rawPath: '/notify/v2/payment' }, lambda);
    const v3 = await handler({ ...event, rawPath: '/stage/notify/v3' }, lambda);

    expect(seen).toEqual(['v2', 'v3']);
    expect(v2.headers).toEqual({
      'content-type': 'text/xml; charset=utf-8',
      'x-request-id': 'lambda-0001',
    });
    expect(v3.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
    expect(recorded.requestIds).toEqual(['lambda-0001', 'lambda-0001']);
  });

  test('at an address that no order names reaches nothing', async () => {
    const recorded = recordedFunction();
    const nobody = () => Promise.reject(new Error('asked'));
    const handler = notificationHandler(nobody, () => ({}), recorded);
    const answer = await handler({ ...apiEvent(), rawPath: '/notify/v4' }, lambda);

    expect(answer.statusCode).toBe(404);
    expect(answer.body).toContain('ROUTE_NOT_FOUND');
    expect(recorded.log.messages('warn')).toEqual([
      'a notification came to an address that no order names',
    ]);
  });
});
