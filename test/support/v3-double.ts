/**
 * WeChat Pay as the v3 client sees it: it checks each request's `Authorization` with an independent
 * implementation and signs its answers with it.
 */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import type { VersionedSecret } from '../../lib/secrets/versioned-secret.ts';
import type { WechatRequest, WechatResponse } from '../../lib/transport/transport.ts';
import { openBills } from '../../lib/wechatpay/v3/bills.ts';
import { openV3Client, openWechatPayV3 } from '../../lib/wechatpay/v3/index.ts';
import { saved } from './bill-files.ts';
import type { CertifiedKey } from './rsa-keys.ts';
import { CREATED_AT } from './sample-orders.ts';
import { secretVersions } from './secret-versions.ts';
import {
  API_V3_KEY,
  merchantKey,
  type Stamp,
  v3Headers,
  v3Merchant,
  v3Resource,
  type WechatSigner,
  wechatSigner,
} from './v3-message.ts';
import { neverRuns } from './no-timer.ts';

/** What WeChat answers; `headers` and `stamp` change its signature. */
export interface V3Answer {
  readonly status?: number;
  readonly json?: unknown;
  /** In place of `json`. */
  readonly text?: string;
  /** In place of both, for a request that is saved; nobody signs it. */
  readonly file?: Buffer;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly stamp?: Stamp;
}

export interface SentV3 {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly repeatable: boolean;
  readonly timeoutMs: number;
  readonly json: Record<string, unknown>;
}

interface DoubleOptions {
  readonly merchant?: VersionedSecret<MerchantSecret>;
  readonly nowMs?: () => number;
  /** Public keys of merchant certificates that WeChat knows, by serial number. */
  readonly merchantKeys?: () => ReadonlyMap<string, string>;
  readonly signer?: () => WechatSigner;
}

type Answering = V3Answer | ((request: SentV3) => Promise<V3Answer | Error> | V3Answer | Error);

export function v3Double(answering: Answering, options: DoubleOptions = {}) {
  const requests: SentV3[] = [];
  const nowMs = options.nowMs ?? (() => CREATED_AT * 1000);
  const known =
    options.merchantKeys ?? (() => new Map([[merchantKey.serialNo, merchantKey.publicKey]]));
  let nonces = 0;
  const connection: Parameters<typeof openWechatPayV3>[0] = {
    merchant: options.merchant ?? secretVersions(v3Merchant()),
    nonce: () => {
      nonces += 1;
      return `nonce${nonces}`;
    },
    nowMs,
    startTimer: neverRuns,
    transport: async (request) => {
      const sent = read(request);
      requests.push(sent);
      assertAuthorized(request, known());
      const answer = typeof answering === 'function' ? await answering(sent) : answering;
      if (answer instanceof Error) {
        throw answer;
      }
      if (answer.file) {
        return saved(request, answer.file);
      }
      return respond(answer, Math.floor(nowMs() / 1000), options.signer?.() ?? wechatSigner);
    },
  };
  return {
    wechatPay: openWechatPayV3(connection),
    bills: openBills(openV3Client(connection)),
    requests,
  };
}

function read(request: WechatRequest): SentV3 {
  const { method, path, headers = {}, body, repeatable, timeoutMs } = request;
  const json = body === undefined ? {} : JSON.parse(body);
  return { method, path, headers, body, repeatable, timeoutMs, json };
}

function assertAuthorized(request: WechatRequest, keys: ReadonlyMap<string, string>): void {
  const header = request.headers?.['authorization'] ?? '';
  const parts =
    /^WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="(\w+)",timestamp="(\d+)",serial_no="(\w+)",signature="([^"]+)"$/.exec(
      header,
    );
  const [, , nonce = '', timestamp = '', serial = '', signature = ''] = parts ?? [];
  const key = keys.get(serial);
  if (key === undefined) {
    throw new Error(`unknown merchant certificate in ${header}`);
  }
  const message = Formatter.request(request.method, request.path, timestamp, nonce, request.body);
  if (!Rsa.verify(message, signature, key)) {
    throw new Error('the request is signed wrongly');
  }
}

export function respond(answer: V3Answer, timestamp: number, signer: WechatSigner): WechatResponse {
  const text = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
  const signed = v3Headers(text, { timestamp, signer, ...answer.stamp });
  const headers = Object.fromEntries(
    Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    statusCode: answer.status ?? 200,
    headers: { ...headers, 'request-id': '08F78BB7', ...answer.headers },
    body: Buffer.from(text),
  };
}

/** The answer to `GET /v3/certificates`. */
export function certificateList(certificates: readonly CertifiedKey[], key = API_V3_KEY): object {
  return {
    data: certificates.map(({ serialNo, certificate }) => ({
      serial_no: serialNo,
      effective_time: '2026-01-01T00:00:00+08:00',
      expire_time: '2031-01-01T00:00:00+08:00',
      encrypt_certificate: v3Resource(certificate, { key, associatedData: 'certificate' }),
    })),
  };
}
