import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../lib/errors.ts';
import type { Transport, WechatResponse } from '../../lib/transport/transport.ts';
import type { RefundResult } from '../../lib/wechatpay/refund-results.ts';
import {
  assertSameRefund,
  NotCarriedOutError,
  type RefundAnswer,
  RefundMismatchError,
  type RefundMeaning,
  settleRefund,
} from '../../lib/wechatpay/refund-settlement.ts';
import { OWNERS_FAULTS, WechatPayConfigError } from '../../lib/wechatpay/remedy.ts';
import { sampleRefund, sampleRefundEvidence } from '../support/sample-orders.ts';

const MEANINGS: Readonly<Record<string, RefundMeaning>> = {
  FINAL: { kind: 'refused' },
  TAKEN: { kind: 'refused', mayExist: true },
  POOR: { kind: 'balance' },
  OWNER: { kind: 'owner', fault: OWNERS_FAULTS.address },
  BUSY: { kind: 'again', mayBeDone: true },
  NOT_YET: { kind: 'again', mayBeDone: false },
  SLOW: { kind: 'again', mayBeDone: true, slower: true },
};

const request = { method: 'POST', path: '/', timeoutMs: 1000, repeatable: true } as const;
const response: WechatResponse = { statusCode: 200, headers: {}, body: Buffer.alloc(0) };
const answered: Transport = async () => response;
const failedOver: Transport = async () => ({
  ...response,
  otherAttempts: { count: 1, maybeDelivered: true },
});

/** Sends once through `transport`, then ends like this; without a transport nothing is sent. */
const settle = (end: RefundAnswer | Error, transport?: Transport) =>
  settleRefund(
    async (watch) => {
      await (transport && watch(transport)(request));
      if (end instanceof Error) {
        throw end;
      }
      return end;
    },
    ({ code }) => MEANINGS[code],
  );

const refusal = (code: string): RefundAnswer => ({ kind: 'refusal', code, text: 'why' });

describe('a verified answer', () => {
  test('that accepts is that', async () => {
    const refund = sampleRefundEvidence();

    expect(await settle({ kind: 'accepted', refund }, failedOver)).toEqual({
      kind: 'accepted',
      refund,
    });
  });

  test.each<[string, boolean, Partial<RefundResult>]>([
    ['FINAL', false, { kind: 'refused' }],
    ['TAKEN', true, { kind: 'refused' }],
    ['POOR', false, { kind: 'waiting', waitingFor: 'BALANCE' }],
    ['OWNER', false, { kind: 'waiting', waitingFor: 'CONFIG' }],
    ['BUSY', true, { kind: 'unknown', slower: false }],
    ['NOT_YET', false, { kind: 'unknown', slower: false }],
    ['SLOW', true, { kind: 'unknown', slower: true }],
    ['NOBODY_KNOWS', true, { kind: 'unknown', slower: false }],
  ])('that refuses with %s: may have reached %s', async (code, mayHaveReached, result) => {
    const failure = { code, message: 'why' };

    expect(await settle(refusal(code), answered)).toMatchObject({
      ...result,
      failure,
      mayHaveReached,
    });
    // A silent first host may have carried out what the second refuses.
    expect(await settle(refusal(code), failedOver)).toMatchObject({
      ...result,
      failure,
      mayHaveReached: true,
    });
  });

  test('that the owner has to see to names the place', async () => {
    const { address } = OWNERS_FAULTS;
    const result = await settle(refusal('OWNER'), answered);

    expect(result).toMatchObject({
      cause: { code: 'CONFIG_ERROR', outcome: 'rejected', parameters: address.where },
    });
  });
});

describe('a failure', () => {
  const owners = (outcome: 'rejected' | 'unknown', code = 'SIGNERROR') =>
    new WechatPayConfigError('the key is wrong', OWNERS_FAULTS.apiV2Key.where, {
      outcome,
      wechatCode: code,
      wechatText: 'why',
    });

  test.each<[string, Error, Transport | undefined, Partial<RefundResult>]>([
    [
      'of the settings, before anything is sent',
      new ConfigError('no key'),
      undefined,
      {
        kind: 'waiting',
        waitingFor: 'CONFIG',
        failure: { code: 'CONFIG_ERROR', message: 'no key' },
        mayHaveReached: false,
      },
    ],
    [
      'of the certificate',
      new NotCarriedOutError('no certificate'),
      answered,
      { kind: 'waiting', waitingFor: 'CONFIG', mayHaveReached: false },
    ],
    [
      'of the certificate, after a silent host',
      new NotCarriedOutError('no certificate'),
      failedOver,
      { kind: 'waiting', waitingFor: 'CONFIG', mayHaveReached: true },
    ],
    [
      'that WeChat signed',
      owners('rejected'),
      answered,
      {
        kind: 'waiting',
        waitingFor: 'CONFIG',
        failure: { code: 'SIGNERROR', message: 'why' },
        mayHaveReached: false,
      },
    ],
    [
      'that nobody signed',
      owners('unknown'),
      answered,
      { kind: 'waiting', waitingFor: 'CONFIG', mayHaveReached: true },
    ],
    [
      'that nobody signed, of a busy WeChat',
      new WechatPayServiceError('unknown', 'SLOW', 'why'),
      answered,
      { kind: 'unknown', slower: true, mayHaveReached: true },
    ],
    [
      'that nobody signed, with a final code',
      new WechatPayServiceError('unknown', 'FINAL', 'why'),
      answered,
      {
        kind: 'unknown',
        slower: false,
        failure: { code: 'FINAL', message: 'why' },
        mayHaveReached: true,
      },
    ],
    [
      'that nobody signed, without a code',
      new WechatPayServiceError('unknown', '', 'why'),
      answered,
      { kind: 'unknown', failure: { code: 'WECHAT_PAY_BUSY', message: expect.any(String) } },
    ],
    [
      'of a signature',
      new WechatPaySignatureError('forged'),
      answered,
      { kind: 'unknown', mayHaveReached: true },
    ],
    [
      'of the message',
      new WechatPayMalformedMessageError('no XML'),
      answered,
      { kind: 'unknown', mayHaveReached: true },
    ],
    [
      'of ours, with the answer',
      new TypeError('a bug'),
      answered,
      {
        kind: 'unknown',
        failure: { code: 'INTERNAL_ERROR', message: 'the answer could not be processed' },
        mayHaveReached: true,
      },
    ],
  ])('%s', async (_, error, transport, result) => {
    expect(await settle(error, transport)).toMatchObject({ ...result, cause: error });
  });

  test.each([
    ['not-sent', false],
    ['unknown', true],
  ] as const)('of the connection, %s', async (outcome, mayHaveReached) => {
    const error = new WechatPayTransportError(outcome, 'no answer');
    const broken: Transport = async () => Promise.reject(error);

    expect(await settle(refusal('FINAL'), broken)).toEqual({
      kind: 'unknown',
      failure: { code: 'WECHAT_UNREACHABLE', message: 'no answer' },
      mayHaveReached,
      slower: false,
      cause: error,
    });
  });

  test('that a code of refunds tells more about is told in its words', async () => {
    const result = await settle(owners('unknown', 'OWNER'), answered);

    expect(result).toMatchObject({
      kind: 'waiting',
      mayHaveReached: true,
      cause: { outcome: 'unknown', parameters: OWNERS_FAULTS.address.where },
    });
  });

  test('of ours, before anything is sent, is thrown', async () => {
    const bug = new TypeError('a bug');

    await expect(settle(bug)).rejects.toBe(bug);
  });
});

test('evidence about another refund is refused, with both values for the log', () => {
  const evidence = sampleRefundEvidence();

  expect(assertSameRefund(sampleRefund(), evidence)).toBe(evidence);
  const compare = () => assertSameRefund(sampleRefund({ refundFen: 900 }), evidence);
  expect(compare).toThrow(RefundMismatchError);
  expect(compare).toThrow(
    expect.objectContaining({
      code: 'MALFORMED_MESSAGE',
      message: 'the answer is about another refund: refundFen is 800, not 900',
      field: 'refundFen',
      expected: 900,
      observed: 800,
    }),
  );
});

test('of a refund that WeChat reported, the amount is what its own answer says', () => {
  const evidence = sampleRefundEvidence({ refundFen: 777 });
  const { refundFen: _, ...reported } = sampleRefund();

  expect(assertSameRefund(reported, evidence)).toBe(evidence);
  expect(() => assertSameRefund({ ...reported, outRefundNo: 'other' }, evidence)).toThrow(
    RefundMismatchError,
  );
});
