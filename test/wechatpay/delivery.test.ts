import { expect, test } from 'vitest';
import { WechatPayTransportError } from '../../lib/errors.ts';
import type { Transport, WechatResponse } from '../../lib/transport/transport.ts';
import { watchDelivery } from '../../lib/wechatpay/delivery.ts';

const request = { method: 'GET', path: '/', timeoutMs: 1000, repeatable: true } as const;
const answer: WechatResponse = { statusCode: 200, headers: {}, body: Buffer.alloc(0) };

type Attempt = WechatResponse | Error;
const afterFailOver = (maybeDelivered: boolean): Attempt => ({
  ...answer,
  otherAttempts: { count: 1, maybeDelivered },
});
const notSent = new WechatPayTransportError('not-sent', 'no connection');
const unknown = new WechatPayTransportError('unknown', 'no answer');

/** What is known after these calls of one operation. */
async function after(...attempts: readonly Attempt[]) {
  const delivery = watchDelivery();
  for (const attempt of attempts) {
    const transport: Transport = async () => {
      if (attempt instanceof Error) {
        throw attempt;
      }
      return attempt;
    };
    await delivery
      .watch(transport)(request)
      .catch(() => undefined);
  }
  return { any: delivery.mayHaveReached(), others: delivery.othersMayHaveReached() };
}

test.each<[string, readonly Attempt[], { any: boolean; others: boolean }]>([
  ['nothing was sent', [], { any: false, others: false }],
  ['no host could be connected to', [notSent], { any: false, others: false }],
  ['nobody answered', [unknown], { any: true, others: false }],
  ['the connection failed in another way', [new TypeError('odd')], { any: true, others: false }],
  ['it was answered', [answer], { any: true, others: false }],
  [
    'a second host answered, the first was silent',
    [afterFailOver(true)],
    { any: true, others: true },
  ],
  [
    'a second host answered, the first was down',
    [afterFailOver(false)],
    { any: true, others: false },
  ],
  ['the second call was answered, the first too', [answer, answer], { any: true, others: true }],
  ['the second call was answered, the first lost', [unknown, answer], { any: true, others: true }],
  [
    'the second call was answered, the first not sent',
    [notSent, answer],
    { any: true, others: false },
  ],
  [
    'the second call was not sent, the first answered',
    [answer, notSent],
    { any: true, others: true },
  ],
])('%s', async (_, attempts, expected) => {
  expect(await after(...attempts)).toEqual(expected);
});

test('passes request, answer and error on', async () => {
  const { watch } = watchDelivery();
  const seen: unknown[] = [];

  expect(
    await watch(async (sent) => {
      seen.push(sent);
      return answer;
    })(request),
  ).toBe(answer);
  expect(seen).toEqual([request]);
  await expect(watch(async () => Promise.reject(unknown))(request)).rejects.toBe(unknown);
});
