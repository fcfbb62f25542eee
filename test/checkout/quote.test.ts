import { describe, expect, test } from 'vitest';
import { verifyQuote } from '../../lib/checkout/quote.ts';
import { InvalidRequestError } from '../../lib/errors.ts';
import { errorText } from '../../lib/http/error-texts.ts';
import { encode, jwt } from '../support/jwt.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';

const SESSION_KEY = 'session-key-of-the-tests-32-chars';
const QUOTE_KEY = 'quote-key-of-the-tests-is-32-long';
const NOW = 1_772_330_400;

const sessionClaims = { sub: OPENID, aud: APPID, iat: NOW - 10, exp: NOW + 60 };
const quoteClaims = {
  outTradeNo: 'order-0001',
  totalFen: 2800,
  description: '拿铁',
  exp: NOW + 60,
};
async function* keys(...all: string[]) {
  yield* all;
}

/** Keys can be gone through once. */
const optionsWith = (nowMs = NOW * 1000, ...all: string[]) => ({ quoteKeys: keys(...all), nowMs });
const quoteOptions = (nowMs?: number) => optionsWith(nowMs, QUOTE_KEY);

async function quoteProblem(
  quote: string,
  options: Parameters<typeof verifyQuote>[1] = quoteOptions(),
) {
  const error = await verifyQuote(quote, options).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof InvalidRequestError)) {
    throw new Error('the quote was accepted');
  }
  const text = errorText('QUOTE_INVALID', 'en', error.parameters);
  return { code: error.code, problem: /: (.*)\.$/.exec(text)?.[1] || undefined };
}

describe('a quote', () => {
  test('says number, price and description, and whatever else an order may have', async () => {
    const more = { openid: OPENID, attach: 'table 5' };

    expect(await verifyQuote(jwt(quoteClaims, QUOTE_KEY), quoteOptions())).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
    });
    expect(await verifyQuote(jwt({ ...quoteClaims, ...more }, QUOTE_KEY), quoteOptions())).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
      ...more,
    });
  });

  test('may have the claims of RFC 7519 and lie 7 days ahead', async () => {
    const registered = { iat: NOW, nbf: NOW, iss: 'shop', jti: '1', aud: APPID, sub: OPENID };
    const claims = { ...quoteClaims, ...registered, exp: NOW + 7 * 86_400 };

    expect(await verifyQuote(jwt(claims, QUOTE_KEY), quoteOptions())).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
    });
  });

  test('expires', async () => {
    const late = quoteOptions((NOW + 60) * 1000);

    expect(await quoteProblem(jwt(quoteClaims, QUOTE_KEY), late)).toEqual({
      code: 'QUOTE_EXPIRED',
      problem: undefined,
    });
  });
});

describe('a quote is refused, saying which part is wrong', () => {
  const { exp: _exp, ...withoutEnd } = quoteClaims;
  const { totalFen: _totalFen, ...withoutPrice } = quoteClaims;
  const NOT_OURS =
    'its signature does not match quoteKey (the key is the text of quoteKey itself, not decoded from hex or Base64)';
  const TOO_FAR = 'exp is too far ahead: it is in seconds, not milliseconds';
  const NOT_HS256 = 'it must be signed with HS256';
  const NO_JWT = 'it is not a signed JWT';

  test.each<[string, string, string]>([
    ['signed with another key', jwt(quoteClaims, SESSION_KEY), NOT_OURS],
    ['that is a session token', jwt(sessionClaims, SESSION_KEY), NOT_OURS],
    ['with HS512', jwt(quoteClaims, QUOTE_KEY, { alg: 'HS512' }, 'sha512'), NOT_HS256],
    ['with RS256', jwt(quoteClaims, QUOTE_KEY, { alg: 'RS256' }), NOT_HS256],
    ['with alg none', `${encode({ alg: 'none' })}.${encode(quoteClaims)}.`, NOT_HS256],
    ['without an end', jwt(withoutEnd, QUOTE_KEY), 'claim exp is missing'],
    [
      'that is not valid yet',
      jwt({ ...quoteClaims, nbf: NOW + 60 }, QUOTE_KEY),
      'claim nbf does not hold',
    ],
    [
      'with an end that is a text',
      jwt({ ...quoteClaims, exp: 'never' }, QUOTE_KEY),
      'claim exp does not hold',
    ],
    ['without a price', jwt(withoutPrice, QUOTE_KEY), 'claim totalFen is missing'],
    [
      'with a price that is a text',
      jwt({ ...quoteClaims, totalFen: '1' }, QUOTE_KEY),
      'claim totalFen has a wrong type or value',
    ],
    [
      'with a number that is a number',
      jwt({ ...quoteClaims, outTradeNo: 1 }, QUOTE_KEY),
      'claim outTradeNo has a wrong type or value',
    ],
    [
      'with a buyer that is null',
      jwt({ ...quoteClaims, openid: null }, QUOTE_KEY),
      'claim openid has a wrong type or value',
    ],
    [
      'with a good without a price',
      jwt({ ...quoteClaims, detail: { goodsDetail: [{ merchantGoodsId: '1' }] } }, QUOTE_KEY),
      'claim detail.goodsDetail[0].quantity is missing',
    ],
    ['with openId', jwt({ ...quoteClaims, openId: OPENID }, QUOTE_KEY), 'claim openId is unknown'],
    [
      'with total_fee',
      jwt({ ...quoteClaims, total_fee: 1 }, QUOTE_KEY),
      'claim total_fee is unknown',
    ],
    [
      'with an endless name',
      jwt({ ...quoteClaims, ['x'.repeat(99)]: 1 }, QUOTE_KEY),
      `claim ${'x'.repeat(64)} is unknown`,
    ],
    ['in milliseconds', jwt({ ...quoteClaims, exp: (NOW + 60) * 1000 }, QUOTE_KEY), TOO_FAR],
    ['of 8 days', jwt({ ...quoteClaims, exp: NOW + 8 * 86_400 }, QUOTE_KEY), TOO_FAR],
    ['that is empty', '', NO_JWT],
    ['that is a word', 'quote', NO_JWT],
    ['whose claims are no JSON', jwt('no JSON', QUOTE_KEY), NO_JWT],
    ['whose claims are a list', jwt([], QUOTE_KEY), NO_JWT],
  ])('%s', async (_, quote, problem) => {
    expect(await quoteProblem(quote)).toEqual({ code: 'QUOTE_INVALID', problem });
  });

  test('when the shop has no key for quotes', async () => {
    expect(await quoteProblem(jwt(quoteClaims, ''.padEnd(32)), optionsWith())).toEqual({
      code: 'QUOTE_INVALID',
      problem: 'this shop does not accept quotes (no quoteKey)',
    });
  });

  test('when it is of none of several keys', async () => {
    const options = optionsWith(undefined, 'n'.repeat(32), QUOTE_KEY);

    expect(await quoteProblem(jwt(quoteClaims, SESSION_KEY), options)).toMatchObject({
      problem: NOT_OURS,
    });
  });
});

describe('a quote of the key before', () => {
  const NEW_KEY = 'n'.repeat(32);
  const both = (nowMs?: number) => optionsWith(nowMs, NEW_KEY, QUOTE_KEY);

  test('is good for its life, like one of the new key', async () => {
    for (const key of [NEW_KEY, QUOTE_KEY]) {
      expect(await verifyQuote(jwt(quoteClaims, key), both())).toMatchObject({ totalFen: 2800 });
    }
    expect(await quoteProblem(jwt(quoteClaims, QUOTE_KEY), both((NOW + 60) * 1000))).toMatchObject({
      code: 'QUOTE_EXPIRED',
    });
  });

  test('is looked for only when the signature is not that of the new one', async () => {
    const asked: string[] = [];
    const quoteKeys = (async function* () {
      for (const key of [NEW_KEY, QUOTE_KEY]) {
        asked.push(key);
        yield key;
      }
    })();
    const old = jwt({ ...quoteClaims, exp: NOW - 1 }, NEW_KEY);

    expect(await quoteProblem(old, { quoteKeys, nowMs: NOW * 1000 })).toMatchObject({
      code: 'QUOTE_EXPIRED',
    });
    expect(asked).toEqual([NEW_KEY]);
  });
});
