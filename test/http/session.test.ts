import { createHmac, generateKeyPairSync, sign as signRsa } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { UnauthenticatedError } from '../../lib/errors.ts';
import { authenticate, issueToken, verifyToken } from '../../lib/http/session.ts';
import { apiEvent } from '../support/api-event.ts';
import { encode, jwt } from '../support/jwt.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';

const SESSION_KEY = 'session-key-of-the-tests-32-chars';
const QUOTE_KEY = 'quote-key-of-the-tests-is-32-long';
const NOW = 1_772_330_400;

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

describe('the buyer of a request', () => {
  const secret = { appid: APPID, appSecret: '0'.repeat(32), sessionKey: SESSION_KEY };
  const nowMs = () => NOW * 1000;
  const eventWith = (headers: Record<string, string>) => apiEvent({ headers });
  const genuine = bearer(jwt(sessionClaims, SESSION_KEY));

  test.each(['authorization', 'Authorization'])('is who the token in %s proves', async (name) => {
    const context = { miniProgram: secretVersions(secret), nowMs };

    expect(await authenticate(eventWith({ [name]: genuine }), context)).toEqual({
      openid: OPENID,
      appid: APPID,
    });
  });

  test('is nobody without a token', async () => {
    const context = { miniProgram: secretVersions(secret), nowMs };

    expect(await outcome(authenticate(eventWith({}), context))).toBe('UNAUTHENTICATED');
  });

  test('is nobody for another mini-program, under another key, or when the time is over', async () => {
    const event = eventWith({ authorization: genuine });
    const others = [{ appid: 'wx9999999999999999' }, { sessionKey: QUOTE_KEY }];
    for (const other of others) {
      const context = { miniProgram: secretVersions({ ...secret, ...other }), nowMs };
      expect(await outcome(authenticate(event, context))).toBe('UNAUTHENTICATED');
    }
    const late = { miniProgram: secretVersions(secret), nowMs: () => (NOW + 60) * 1000 };

    expect(await outcome(authenticate(event, late))).toBe('TOKEN_EXPIRED');
  });
});
