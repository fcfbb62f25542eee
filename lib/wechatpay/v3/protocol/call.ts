/** One signed request to a v3 endpoint and the judgement of its answer. */
import { WechatPaySignatureError, WechatPayTransportError } from '../../../errors.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { Sending, WechatResponse } from '../../../transport/transport.ts';
import { findNewerKeys, inTime, type StartTimer } from '../../newer-keys.ts';
import { refusalError, WechatPayConfigError } from '../../remedy.ts';
import { secretOf } from '../../secret-of.ts';
import { decodeJson, tryJson } from './json.ts';
import { type Failure, meaningOf, ownersError, readFailure } from './refusals.ts';
import { sendSigned, type V3Connection } from './send.ts';
import type { SignedRequest } from './sign.ts';
import { type FindKey, verifySignature } from './verify.ts';

export interface V3Client extends V3Connection {
  readonly findKey: FindKey;
  readonly startTimer: StartTimer;
}

/** A verified answer: success with its JSON (nothing for 204), or WeChat's own error. */
export type Answer =
  | { readonly ok: true; readonly statusCode: number; readonly json: unknown }
  | Failure;

/**
 * Sends a request and returns what WeChat says, once its signature holds. In the time that is left
 * the request is sent once more when the answer was one of WeChat's probes, which counts as not
 * received, and when WeChat refused our signature and the keys have changed since they were read.
 *
 * @throws {ConfigError | WechatPayTransportError | WechatPayServiceError | WechatPaySignatureError | WechatPayMalformedMessageError}
 */
export async function call(
  client: V3Client,
  mchid: string,
  request: SignedRequest,
  sending: Sending,
): Promise<Answer> {
  const deadlineMs = client.nowMs() + sending.timeoutMs;
  // Whoever sets the clock back does not lengthen a call.
  const remainingMs = () => Math.min(deadlineMs - client.nowMs(), sending.timeoutMs);
  const secret = await secretOf(client.merchant, mchid);
  try {
    return await attempt(client, secret, request, { sending, remainingMs });
  } catch (error) {
    const again = isProbe(error)
      ? secret
      : isOfKeys(error) && (await newerKeys(client, secret, remainingMs()));
    if (again && remainingMs() > 0) {
      return attempt(client, again, request, { sending, remainingMs });
    }
    throw error;
  }
}

const isProbe = (error: unknown) => error instanceof WechatPaySignatureError && error.isProbe;

/** Whether WeChat refused what a secret that is read afresh may have mended. */
const isOfKeys = (error: unknown) =>
  error instanceof WechatPayConfigError &&
  String(error.parameters['field']).includes('merchantSerialNo');

const signingKeys = ({ merchantSerialNo, merchantPrivateKey }: MerchantSecret) =>
  `${merchantSerialNo}\n${merchantPrivateKey}`;

async function newerKeys(client: V3Client, used: MerchantSecret, timeoutMs: number) {
  const reading = findNewerKeys(client.merchant, used, signingKeys);
  const newer = await inTime(client.startTimer, timeoutMs, reading);
  return newer?.value;
}

async function attempt(
  client: V3Client,
  secret: MerchantSecret,
  request: SignedRequest,
  { sending, remainingMs }: { sending: Sending; remainingMs: () => number },
): Promise<Answer> {
  const limited = { ...sending, timeoutMs: remainingMs() };
  const response = await sendSigned(client, secret, request, limited);
  return isSuccess(response)
    ? judgeSuccess(client, response, remainingMs())
    : judgeError(client, response, remainingMs());
}

const isSuccess = ({ statusCode }: WechatResponse) => statusCode >= 200 && statusCode < 300;

async function judgeSuccess(
  client: V3Client,
  response: WechatResponse,
  timeoutMs: number,
): Promise<Answer> {
  await verifyInTime(client, response, timeoutMs);
  const json = response.body.length === 0 ? undefined : decodeJson(response.body);
  // Some answers with a good status carry an error all the same.
  const failure = readFailure(response, json);
  return failure ? known(response, failure) : { ok: true, statusCode: response.statusCode, json };
}

/** An error that WeChat did not sign is no evidence of what became of the request. */
async function judgeError(
  client: V3Client,
  response: WechatResponse,
  timeoutMs: number,
): Promise<Answer> {
  const failure = readFailure(response, tryJson(response.body));
  const meaning = meaningOf(response.statusCode, failure?.code);
  if (meaning?.remedy === 'owner') {
    throw ownersError(response, failure, meaning, client.nowMs());
  }
  if (!failure) {
    throw new WechatPayTransportError('unknown', `HTTP status ${response.statusCode}`);
  }
  try {
    await verifyInTime(client, response, timeoutMs);
  } catch (error) {
    if (error instanceof WechatPaySignatureError && !error.isProbe) {
      throw refusalError({ ...failure, outcome: 'unknown' }, meaning);
    }
    throw error;
  }
  return known(response, failure);
}

/** A verified error: an answer, unless it leaves open what became of the request. */
function known(response: WechatResponse, failure: Failure): Failure {
  const meaning = meaningOf(response.statusCode, failure.code);
  if (meaning?.remedy === 'later' || meaning?.remedy === 'owner') {
    throw refusalError({ ...failure, outcome: 'rejected' }, meaning);
  }
  return failure;
}

/** A key may have to be read, or certificates to be fetched, first. */
async function verifyInTime(
  { findKey, nowMs, startTimer }: V3Client,
  response: WechatResponse,
  timeoutMs: number,
): Promise<void> {
  const verifying = verifySignature(response, nowMs(), findKey);
  if (!(await inTime(startTimer, timeoutMs, verifying))) {
    throw new WechatPayTransportError('unknown', 'no key to verify the answer with in time');
  }
}
