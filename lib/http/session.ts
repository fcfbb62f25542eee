/** Session tokens of buyers: JWTs signed with HS256. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { errors, jwtVerify, SignJWT } from 'jose';
import { UnauthenticatedError } from '../errors.ts';
import type { MiniProgramSecret } from '../secrets/mini-program.ts';
import type { VersionedSecret } from '../secrets/versioned-secret.ts';
import { header } from './input.ts';

const bytes = (key: string) => new TextEncoder().encode(key);

/**
 * Makes a token that says which buyer holds it. It has no secret inside; the mini-program sends
 * it back as `Authorization: Bearer`.
 */
export function issueToken(
  openid: string,
  options: { appid: string; sessionKey: string; lifetimeSeconds: number; nowMs: number },
): Promise<string> {
  const issuedAt = Math.floor(options.nowMs / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(openid)
    .setAudience(options.appid)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + options.lifetimeSeconds)
    .sign(bytes(options.sessionKey));
}

interface Verifier {
  readonly appid: string;
  readonly sessionKey: string;
  readonly nowMs: number;
}

/**
 * The openid that a token proves.
 *
 * @throws {UnauthenticatedError} `TOKEN_EXPIRED` when it is genuine but old, else `UNAUTHENTICATED`.
 */
export async function verifyToken(
  authorization: string | undefined,
  verifier: Verifier,
): Promise<string> {
  const openid = await provenOpenid(bearerToken(authorization), verifier);
  if (openid === undefined) {
    throw new UnauthenticatedError();
  }
  return openid;
}

function bearerToken(authorization: string | undefined): string {
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
  if (!token) {
    throw new UnauthenticatedError();
  }
  return token;
}

/** Nothing when the token is not of this key and mini-program, and so perhaps of another version's. */
async function provenOpenid(
  token: string,
  { appid, sessionKey, nowMs }: Verifier,
): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, bytes(sessionKey), {
      algorithms: ['HS256'],
      audience: appid,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(nowMs),
    });
    if (!payload.sub) {
      throw new UnauthenticatedError();
    }
    return payload.sub;
  } catch (error) {
    if (isOfOtherVersion(error)) {
      return undefined;
    }
    throw new UnauthenticatedError(
      error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED',
    );
  }
}

const isOfOtherVersion = (error: unknown) =>
  error instanceof errors.JWSSignatureVerificationFailed ||
  (error instanceof errors.JWTClaimValidationFailed &&
    error.claim === 'aud' &&
    error.reason === 'check_failed');

/** Who calls: a buyer, known by openid to the mini-program of that appid. */
export interface Buyer {
  readonly openid: string;
  readonly appid: string;
}

export interface SessionContext {
  readonly miniProgram: VersionedSecret<MiniProgramSecret>;
  readonly nowMs: () => number;
}

/**
 * The buyer whose token a request carries. The token says for which mini-program it was made, and
 * is good for its whole life whichever environment made it: after a rotation some sign with the
 * new version of the secret and some, for five minutes, with the one before.
 *
 * @throws {UnauthenticatedError} as `verifyToken` does.
 */
export async function authenticate(
  event: APIGatewayProxyEventV2,
  { miniProgram, nowMs }: SessionContext,
): Promise<Buyer> {
  const token = bearerToken(header(event, 'authorization'));
  for await (const { appid, sessionKey } of miniProgram.candidates()) {
    const openid = await provenOpenid(token, { appid, sessionKey, nowMs: nowMs() });
    if (openid !== undefined) {
      return { openid, appid };
    }
  }
  throw new UnauthenticatedError();
}
