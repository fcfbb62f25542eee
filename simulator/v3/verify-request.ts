/** Verifies a v3 request in WeChat's order, and keeps every step for the message log. */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { ApiCertificate } from '../book/account.ts';
import { MERCHANT_KEY_NAME, type SignatureReport, type Step } from '../explain/report.ts';
import type { Request } from '../host/http.ts';
import type { Message } from '../host/messages.ts';
import type { Service } from '../host/service.ts';
import { type Authorization, parseAuthorization } from './authorization.ts';
import { failV3, type V3Failure } from './errors.ts';
import { explainRequestSignature } from '../explain/v3/request.ts';
import { ALGORITHM } from './sign.ts';

const MAX_SKEW_SECONDS = 300;
/** So much of the body WeChat shows in its answer. */
const SHOWN_BODY_CHARACTERS = 8;

/** What is wrong: `text` for the wire, the rest for people. */
interface Problem {
  readonly text: string;
  readonly en: string;
  readonly zh: string;
}

interface Inspection {
  readonly report: SignatureReport;
  readonly failure?: V3Failure;
}

/** Undefined when the signature is right; the report goes into `message`. */
export function verifyRequest(
  service: Service,
  request: Request,
  message: Message,
): V3Failure | undefined {
  const { report, failure } = inspect(service, request);
  message.signature = report;
  return failure;
}

function inspect(service: Service, request: Request): Inspection {
  const declaredSignType = request.headers.authorization?.split(' ', 1)[0] ?? null;
  const unread = {
    declaredSignType,
    algorithm: ALGORITHM,
    stringToSign: '',
    expected: null,
    received: null,
  } as const;
  const parsed = parseAuthorization(request.headers.authorization);
  if (!parsed.ok) {
    const text = parsed.isScheme ? WRONG_SCHEME : WRONG_FORMAT;
    return refuse(unread, [], 'authorization', { ...parsed, text });
  }
  const authorization = parsed.value;
  const certificate = findCertificate(service, authorization);
  const { bytes, text: stringToSign } = writeStringToSign(request, authorization);
  const read = {
    ...unread,
    stringToSign,
    received: authorization.signature,
    serial: authorization.serialNo,
  };
  const checks: [check: Check, problem: Problem | undefined][] = [
    ['authorization', undefined],
    ['mchid', checkMerchant(service, authorization)],
    ['timestamp', checkClock(service, authorization)],
    ['serial_no', 'problem' in certificate ? certificate.problem : undefined],
  ];
  const steps: Step[] = [];
  for (const [check, problem] of checks) {
    if (problem) {
      return refuse(read, steps, check, problem);
    }
    steps.push({ check, ok: true, ...PASSED[check] });
  }
  return 'problem' in certificate
    ? { report: { ...read, result: 'invalid' } }
    : compare(service, request, authorization, certificate, bytes, {
        ...read,
        keyName: MERCHANT_KEY_NAME,
        steps,
      });
}

const WRONG_SCHEME = 'Http头Authorization认证类型不正确';
const WRONG_FORMAT = 'Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》';

const PASSED = {
  authorization: { en: 'five fields were read', zh: '已读出五个字段' },
  mchid: { en: 'this merchant', zh: '商户号正确' },
  timestamp: { en: 'within 5 minutes of WeChat', zh: '与微信支付时间相差不超过 5 分钟' },
  serial_no: { en: 'a valid API certificate of this merchant', zh: '是该商户的有效 API 证书' },
  signature: { en: 'fits this string and this key', zh: '与签名串及证书公钥相符' },
} satisfies Record<string, { en: string; zh: string }>;
type Check = keyof typeof PASSED;

type Read = Omit<SignatureReport, 'result' | 'steps'>;

function refuse(read: Read, passed: Step[], check: string, problem: Problem): Inspection {
  const { text, en, zh } = problem;
  const steps = [...passed, { check, ok: false, en, zh }];
  const likelyCauses = [{ code: `${check.toUpperCase()}_REFUSED`, en, zh }];
  const detail = { field: check, location: 'authorization' };
  return {
    report: { ...read, result: 'invalid', reason: en, likelyCauses, steps },
    failure: failV3('SIGN_ERROR', { text, detail, note: en }),
  };
}

function compare(
  service: Service,
  request: Request,
  authorization: Authorization,
  certificate: ApiCertificate,
  bytes: Buffer,
  read: Read & { steps: Step[] },
): Inspection {
  const { signature } = authorization;
  const check = 'signature';
  // The plugin hashes bytes as well as text, whatever its types say.
  if (Rsa.verify(bytes as unknown as string, signature, certificate.publicKey)) {
    const steps = [...read.steps, { check, ok: true, ...PASSED[check] }];
    return { report: { ...read, result: 'valid', expected: signature, steps } };
  }
  const likelyCauses = explainRequestSignature(
    { ...readSigned(request), ...authorization },
    certificate,
    service.account.certificates(),
  );
  const reason = likelyCauses.map(({ en }) => en).join('; and ');
  const zh = likelyCauses.map((cause) => cause.zh).join('；');
  const steps = [...read.steps, { check, ok: false, en: reason, zh }];
  return {
    report: { ...read, result: 'invalid', reason, likelyCauses, steps },
    failure: failV3('SIGN_ERROR', {
      detail: describeMismatch(request, authorization, bytes.length),
      note: reason,
    }),
  };
}

const readSigned = ({ method, url, headers, body }: Request) => ({
  method,
  url,
  host: headers.host ?? '',
  body: body.toString('utf8'),
});

/** The body as it came, byte for byte. */
function writeStringToSign({ method, url, body }: Request, { timestamp, nonce }: Authorization) {
  const head = Formatter.request(method, url, timestamp, nonce, '').slice(0, -1);
  const bytes = Buffer.concat([Buffer.from(head), body, Buffer.from('\n')]);
  return { bytes, text: bytes.toString('utf8') };
}

function checkMerchant({ merchant }: Service, { mchid }: Authorization): Problem | undefined {
  return mchid === merchant.mchid
    ? undefined
    : {
        text: '商户号不存在或与证书不匹配',
        en: `this simulator knows only merchant ${merchant.mchid}, not ${mchid}`,
        zh: `本模拟器只有商户 ${merchant.mchid}，没有 ${mchid}`,
      };
}

function checkClock({ clock }: Service, { timestamp }: Authorization): Problem | undefined {
  const text = 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟';
  if (/^\d{13}$/.test(timestamp)) {
    const en = 'timestamp is in milliseconds; it must be in seconds';
    return { text, en, zh: 'timestamp 用了毫秒，应为秒' };
  }
  if (!/^\d{1,10}$/.test(timestamp)) {
    return { text, en: 'timestamp is not a number of seconds', zh: 'timestamp 不是秒数' };
  }
  const skew = Math.round(Number(timestamp) - clock.now() / 1000);
  if (Math.abs(skew) <= MAX_SKEW_SECONDS) {
    return undefined;
  }
  const isMoved = clock.offsetMs() > 0;
  const en = `the clock is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} WeChat's`;
  const zh = `时间比微信支付${skew < 0 ? '慢' : '快'} ${Math.abs(skew)} 秒`;
  return {
    text,
    en: isMoved ? `${en} (which was moved by POST /_simulator/clock)` : en,
    zh: isMoved ? `${zh}（微信支付的时钟被 POST /_simulator/clock 调快过）` : zh,
  };
}

function findCertificate(
  { account, keys }: Service,
  { serialNo }: Authorization,
): ApiCertificate | { problem: Problem } {
  const certificates = account.certificates();
  // Clients that work with WeChat send the hexadecimal digits in lower case too.
  const inUpperCase = serialNo.toUpperCase();
  const found = certificates.find((one) => one.serialNo === inUpperCase);
  if (found) {
    const text = '商户证书已作废，请使用新证书';
    const problem = { text, en: 'this API certificate was revoked', zh: '该商户 API 证书已作废' };
    return found.revoked ? { problem } : found;
  }
  const text = '商户证书序列号有误。请使用签名私钥匹配的证书序列号';
  if (
    serialNo.startsWith('PUB_KEY_ID_') ||
    keys?.certificates().some(({ serial }) => serial === inUpperCase)
  ) {
    const en =
      "this names WeChat Pay's key; serial_no is the serial of the merchant's own API certificate";
    const zh = '这是微信支付公钥 ID 或平台证书的序列号；serial_no 应为商户 API 证书的序列号';
    return { problem: { text, en, zh } };
  }
  const shown = serialNo.slice(0, 60);
  const en = `the merchant has no API certificate ${shown}`;
  return { problem: { text, en, zh: `商户没有序列号为 ${shown} 的 API 证书` } };
}

/** As WeChat writes it: the body cut short, the length in bytes of all of it. */
function describeMismatch(request: Request, { timestamp, nonce }: Authorization, length: number) {
  const body = request.body.toString('utf8');
  const shown = [...body].slice(0, SHOWN_BODY_CHARACTERS).join('');
  return {
    detail: { issue: 'sign not match' },
    field: 'signature',
    location: 'authorization',
    sign_information: {
      method: request.method,
      sign_message_length: length,
      truncated_sign_message: Formatter.request(
        request.method,
        request.url,
        timestamp,
        nonce,
        shown,
      ),
      url: request.url,
    },
  };
}
