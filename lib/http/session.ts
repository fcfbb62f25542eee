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

/**
 * The openid that a token proves.
 *
 * @throws {UnauthenticatedError} `TOKEN_EXPIRED` when it is genuine but old, else `UNAUTHENTICATED`.
 */
export async function verifyToken(
  authorization: string | undefined,
  options: { appid: string; sessionKey: string; nowMs: number },
): Promise<string> {
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
  if (!token) {
    throw new UnauthenticatedError();
  }
  try {
    const { payload } = await jwtVerify(token, bytes(options.sessionKey), {
      algorithms: ['HS256'],
      audience: options.appid,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(options.nowMs),
    });
    if (!payload.sub) {
      throw new UnauthenticatedError();
    }
    return payload.sub;
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new UnauthenticatedError('TOKEN_EXPIRED');
    }
    throw new UnauthenticatedError();
  }
}

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
 * The buyer whose token a request carries. The token says for which mini-program it was made.
 *
 * @throws {UnauthenticatedError} as `verifyToken` does.
 */
export async function authenticate(
  event: APIGatewayProxyEventV2,
  { miniProgram, nowMs }: SessionContext,
): Promise<Buyer> {
  const { appid, sessionKey } = await miniProgram.current();
  const authorization = header(event, 'authorization');
  const openid = await verifyToken(authorization, { appid, sessionKey, nowMs: nowMs() });
  return { openid, appid };
}
