import { createHmac, generateKeyPairSync, sign as signRsa } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { errorText } from '../../lib/http/error-texts.ts';
import { InvalidRequestError, UnauthenticatedError } from '../../lib/errors.ts';
import { issueToken, verifyQuote, verifyToken } from '../../lib/http/session.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';

const SESSION_KEY = 'session-key-of-the-tests-32-chars';
const QUOTE_KEY = 'quote-key-of-the-tests-is-32-long';
const NOW = 1_772_330_400;

const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A JWT put together by hand (RFC 7515), so that any of its parts can be wrong. */
function jwt(
  claims: object | string,
  key: string,
  header: object = { alg: 'HS256', typ: 'JWT' },
  hash = 'sha256',
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

const sessionClaims = { sub: OPENID, aud: APPID, iat: NOW - 10, exp: NOW + 60 };
const bearer = (token: string) => `Bearer ${token}`;
const options = { appid: APPID, sessionKey: SESSION_KEY, nowMs: NOW * 1000 };

/** The error's code; `accepted` when there is none. */
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UnauthenticatedError ? error.code : error),
  );

describe('a session token', () => {
  test('says who, for which mini-program and how long, and no more', async () => {
    const token = await issueToken(OPENID, { ...options, lifetimeSeconds: 7200 });
    const [header = '', claims = '', signature = ''] = token.split('.');
    const expected = createHmac('sha256', SESSION_KEY)
      .update(`${header}.${claims}`)
      .digest('base64url');

    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'HS256',
      typ: 'JWT',
    });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      sub: OPENID,
      aud: APPID,
      iat: NOW,
      exp: NOW + 7200,
    });
    expect(signature).toBe(expected);
  });

  test('proves its openid until it expires', async () => {
    const token = bearer(await issueToken(OPENID, { ...options, lifetimeSeconds: 60 }));
    const at = (seconds: number) =>
      outcome(verifyToken(token, { ...options, nowMs: (NOW + seconds) * 1000 }));

    expect(await verifyToken(token, options)).toBe(OPENID);
    expect(await at(59)).toBe('accepted');
    expect(await at(60)).toBe('TOKEN_EXPIRED');
  });

  test.each([
    ['as usual', bearer(jwt(sessionClaims, SESSION_KEY))],
    ['with the scheme in lower case', `bearer ${jwt(sessionClaims, SESSION_KEY)}`],
    ['with more blanks', `Bearer   ${jwt(sessionClaims, SESSION_KEY)}`],
  ])('is taken %s', async (_, authorization) => {
    expect(await verifyToken(authorization, options)).toBe(OPENID);
  });
});

describe('a session token is refused', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rs256 = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(sessionClaims)}`;
  const { sub: _sub, ...withoutSub } = sessionClaims;
  const { exp: _exp, ...withoutExp } = sessionClaims;
  const { aud: _aud, ...withoutAud } = sessionClaims;

  test.each<[string, string | undefined]>([
    ['that is missing', undefined],
    ['that is empty', ''],
    ['without the scheme', jwt(sessionClaims, SESSION_KEY)],
    ['with another scheme', `Basic ${jwt(sessionClaims, SESSION_KEY)}`],
    ['with two tokens', `${bearer(jwt(sessionClaims, SESSION_KEY))} x.y.z`],
    ['with something after it', `${bearer(jwt(sessionClaims, SESSION_KEY))},`],
    ['that is no token', 'Bearer abc'],
    ['without a signature', bearer(`${jwt(sessionClaims, SESSION_KEY).split('.', 2).join('.')}.`)],
    ['with alg none', bearer(`${encode({ alg: 'none' })}.${encode(sessionClaims)}.`)],
    ['with alg none and a signature', bearer(jwt(sessionClaims, SESSION_KEY, { alg: 'none' }))],
    ['with alg None', bearer(jwt(sessionClaims, SESSION_KEY, { alg: 'None' }))],
    ['without an alg', bearer(jwt(sessionClaims, SESSION_KEY, { typ: 'JWT' }))],
    ['with HS512', bearer(jwt(sessionClaims, SESSION_KEY, { alg: 'HS512' }, 'sha512'))],
    ['with HS384', bearer(jwt(sessionClaims, SESSION_KEY, { alg: 'HS384' }, 'sha384'))],
    [
      'with RS256',
      bearer(`${rs256}.${signRsa('sha256', Buffer.from(rs256), privateKey).toString('base64url')}`),
    ],
    [
      'signed with a public key as secret',
      bearer(jwt(sessionClaims, publicKey.export({ type: 'spki', format: 'pem' }).toString())),
    ],
    [
      'with a critical header that nobody knows',
      bearer(jwt(sessionClaims, SESSION_KEY, { alg: 'HS256', crit: ['x'], x: 1 })),
    ],
    [
      'that brings its own key',
      bearer(
        jwt(sessionClaims, 'own'.repeat(12), {
          alg: 'HS256',
          jwk: { kty: 'oct', k: encode('own'.repeat(12)) },
        }),
      ),
    ],
    ['of another key', bearer(jwt(sessionClaims, QUOTE_KEY))],
    [
      'of another mini-program',
      bearer(jwt({ ...sessionClaims, aud: 'wx9999999999999999' }, SESSION_KEY)),
    ],
    ['of no mini-program', bearer(jwt(withoutAud, SESSION_KEY))],
    ['without a buyer', bearer(jwt(withoutSub, SESSION_KEY))],
    ['with an empty buyer', bearer(jwt({ ...sessionClaims, sub: '' }, SESSION_KEY))],
    ['without an end', bearer(jwt(withoutExp, SESSION_KEY))],
    [
      'with an end that is a text',
      bearer(jwt({ ...sessionClaims, exp: '9999999999' }, SESSION_KEY)),
    ],
    ['that is not valid yet', bearer(jwt({ ...sessionClaims, nbf: NOW + 60 }, SESSION_KEY))],
    ['whose claims are no JSON', bearer(jwt('no JSON', SESSION_KEY))],
    ['whose claims are a list', bearer(jwt([], SESSION_KEY))],
    [
      'that is a quote',
      bearer(
        jwt(
          {
            outTradeNo: 'order-0001',
            totalFen: 1,
            description: 'x',
            sub: OPENID,
            aud: APPID,
            exp: NOW + 60,
          },
          QUOTE_KEY,
        ),
      ),
    ],
  ])('%s', async (_, authorization) => {
    expect(await outcome(verifyToken(authorization, options))).toBe('UNAUTHENTICATED');
  });

  test('whose claims were altered', async () => {
    const [header, , signature] = jwt(sessionClaims, SESSION_KEY).split('.');
    const forged = `${header}.${encode({ ...sessionClaims, sub: 'oSomebodyElse' })}.${signature}`;

    expect(await outcome(verifyToken(bearer(forged), options))).toBe('UNAUTHENTICATED');
  });

  test('that is old and forged as forged, not as old', async () => {
    const old = bearer(jwt({ ...sessionClaims, exp: NOW - 1 }, QUOTE_KEY));

    expect(await outcome(verifyToken(old, options))).toBe('UNAUTHENTICATED');
  });

  test('of 8 kB of dots and blanks without delay', async () => {
    const startedAt = performance.now();
    for (const text of [
      'Bearer ' + ' '.repeat(8_000),
      'Bearer ' + 'a.'.repeat(4_000),
      'Bearer ' + 'a'.repeat(8_000),
    ]) {
      expect(await outcome(verifyToken(text, options))).toBe('UNAUTHENTICATED');
    }

    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

const quoteClaims = {
  outTradeNo: 'order-0001',
  totalFen: 2800,
  description: '拿铁',
  exp: NOW + 60,
};
const quoteOptions = { quoteKey: QUOTE_KEY, nowMs: NOW * 1000 };

async function quoteProblem(
  quote: string,
  options = quoteOptions as Parameters<typeof verifyQuote>[1],
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

    expect(await verifyQuote(jwt(quoteClaims, QUOTE_KEY), quoteOptions)).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
    });
    expect(await verifyQuote(jwt({ ...quoteClaims, ...more }, QUOTE_KEY), quoteOptions)).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
      ...more,
    });
  });

  test('may have the claims of RFC 7519 and lie 7 days ahead', async () => {
    const registered = { iat: NOW, nbf: NOW, iss: 'shop', jti: '1', aud: APPID, sub: OPENID };
    const claims = { ...quoteClaims, ...registered, exp: NOW + 7 * 86_400 };

    expect(await verifyQuote(jwt(claims, QUOTE_KEY), quoteOptions)).toEqual({
      outTradeNo: 'order-0001',
      totalFen: 2800,
      description: '拿铁',
    });
  });

  test('expires', async () => {
    const late = { ...quoteOptions, nowMs: (NOW + 60) * 1000 };

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

  test.each([undefined, ''])('when the shop has no key for quotes (%j)', async (quoteKey) => {
    expect(await quoteProblem(jwt(quoteClaims, ''.padEnd(32)), { quoteKey, nowMs: 0 })).toEqual({
      code: 'QUOTE_INVALID',
      problem: 'this shop does not accept quotes (no quoteKey)',
    });
  });
});
