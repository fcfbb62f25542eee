/** Verifies a v3 request in WeChat's order, and keeps every step for the message log. */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { ApiCertificate } from '../account.ts';
import type { SignatureReport, Step } from '../explain-signature.ts';
import type { Request } from '../http.ts';
import type { Message } from '../messages.ts';
import type { Wechat } from '../wechat.ts';
import { type Authorization, parseAuthorization } from './authorization.ts';
import { failV3, type V3Failure } from './errors.ts';
import { explainRequestSignature } from './explain-request.ts';
import { ALGORITHM } from './sign.ts';

const MAX_SKEW_SECONDS = 300;
/** So much of the body WeChat shows in its answer. */
const SHOWN_BODY_CHARACTERS = 8;

class Refusal extends Error {
  readonly failure: V3Failure;
  constructor(failure: V3Failure) {
    super(failure.text);
    this.failure = failure;
  }
}

/** Undefined when the signature is right; the report goes into `message`. */
export function verifyRequest(
  wechat: Wechat,
  request: Request,
  message: Message,
): V3Failure | undefined {
  const steps: Step[] = [];
  const report = {
    declaredSignType: request.headers.authorization?.split(' ', 1)[0] ?? null,
    algorithm: ALGORITHM,
    expected: null,
    steps,
  } as const;
  const refuse = (step: Omit<Step, 'ok'>, text: string): never => {
    steps.push({ ...step, ok: false });
    const detail = { field: step.check, location: 'authorization' };
    throw new Refusal(failV3('SIGN_ERROR', { text, detail, note: step.en }));
  };
  const pass = (check: string, en: string, zh: string) => steps.push({ check, ok: true, en, zh });
  let seen: Partial<SignatureReport> & { stringToSign: string } = {
    stringToSign: '',
    received: null,
  };
  try {
    const authorization = readAuthorization(request, refuse);
    pass('authorization', 'five fields were read', '已读出五个字段');
    const stringToSign = writeStringToSign(request, authorization);
    seen = { stringToSign, received: authorization.signature, serial: authorization.serialNo };
    checkMerchant(wechat, authorization, refuse);
    pass('mchid', `mchid is ${authorization.mchid}`, `商户号为 ${authorization.mchid}`);
    checkClock(wechat, authorization, refuse);
    pass('timestamp', 'within 5 minutes of WeChat', '与微信支付时间相差不超过 5 分钟');
    const certificate = findCertificate(wechat, authorization, refuse);
    seen = { ...seen, keyName: "public key of the merchant's API certificate" };
    pass('serial_no', 'a valid API certificate of this merchant', '是该商户的有效 API 证书');
    if (Rsa.verify(stringToSign, authorization.signature, certificate.publicKey)) {
      pass('signature', 'fits this string and this key', '与签名串及证书公钥相符');
      message.signature = {
        ...report,
        result: 'valid',
        ...seen,
        expected: authorization.signature,
        received: authorization.signature,
      };
      return undefined;
    }
    const causes = explainRequestSignature(wechat, request, authorization, certificate);
    const reason = causes.map(({ en }) => en).join('; and ');
    const inChinese = causes.map(({ zh }) => zh).join('；');
    steps.push({ check: 'signature', ok: false, en: reason, zh: inChinese });
    message.signature = {
      ...report,
      result: 'invalid',
      ...seen,
      received: authorization.signature,
      reason,
      likelyCauses: causes,
    };
    return failV3('SIGN_ERROR', {
      detail: describeMismatch(request, authorization, stringToSign),
      note: reason,
    });
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    const { en = '', zh = '', check = '' } = steps.at(-1) ?? {};
    const cause = { code: `${check.toUpperCase()}_REFUSED`, en, zh };
    message.signature = {
      ...report,
      result: 'invalid',
      ...seen,
      received: seen.received ?? null,
      reason: en,
      likelyCauses: [cause],
    };
    return error.failure;
  }
}

type Refuse = (step: Omit<Step, 'ok'>, text: string) => never;

function readAuthorization({ headers }: Request, refuse: Refuse): Authorization {
  const parsed = parseAuthorization(headers.authorization);
  if (parsed.ok) {
    return parsed.value;
  }
  const { en, zh } = parsed;
  return refuse(
    { check: 'authorization', en, zh },
    parsed.isScheme
      ? 'Http头Authorization认证类型不正确'
      : 'Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》',
  );
}

/** Raw bytes as Latin-1 would be wrong here: the plugin signs text as UTF-8, like everybody. */
const writeStringToSign = (request: Request, { timestamp, nonce }: Authorization) =>
  Formatter.request(request.method, request.url, timestamp, nonce, request.body.toString('utf8'));

function checkMerchant({ merchant }: Wechat, { mchid }: Authorization, refuse: Refuse): void {
  if (mchid !== merchant.mchid) {
    refuse(
      {
        check: 'mchid',
        en: `this simulator knows only merchant ${merchant.mchid}, not ${mchid}`,
        zh: `本模拟器只有商户 ${merchant.mchid}，没有 ${mchid}`,
      },
      '商户号不存在或与证书不匹配',
    );
  }
}

function checkClock({ clock }: Wechat, { timestamp }: Authorization, refuse: Refuse): void {
  const check = 'timestamp';
  const text = 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟';
  if (!/^\d{1,10}$/.test(timestamp)) {
    const isMilliseconds = /^\d{13}$/.test(timestamp);
    refuse(
      {
        check,
        en: isMilliseconds
          ? 'timestamp is in milliseconds; it must be in seconds'
          : 'timestamp is not a number of seconds',
        zh: isMilliseconds ? 'timestamp 用了毫秒，应为秒' : 'timestamp 不是秒数',
      },
      text,
    );
  }
  const skew = Math.round(Number(timestamp) - clock.now() / 1000);
  if (Math.abs(skew) > MAX_SKEW_SECONDS) {
    const moved = clock.offsetMs() > 0;
    refuse(
      {
        check,
        en: `the clock is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} WeChat's${moved ? " (the simulator's clock was moved by the control API)" : ''}`,
        zh: `时间比微信支付${skew < 0 ? '慢' : '快'} ${Math.abs(skew)} 秒${moved ? '（模拟器的时钟被控制接口调快过）' : ''}`,
      },
      text,
    );
  }
}

function findCertificate(
  { account, keys }: Wechat,
  { serialNo }: Authorization,
  refuse: Refuse,
): ApiCertificate {
  const certificates = account.certificates();
  const found = certificates.find((one) => one.serialNo === serialNo);
  if (found && !found.revoked) {
    return found;
  }
  const check = 'serial_no';
  const text = '商户证书序列号有误。请使用签名私钥匹配的证书序列号';
  if (found) {
    return refuse(
      { check, en: 'this API certificate was revoked', zh: '该商户 API 证书已作废' },
      '商户证书已作废，请使用新证书',
    );
  }
  if (certificates.some((one) => one.serialNo === serialNo.toUpperCase())) {
    return refuse(
      { check, en: 'the serial must be in upper case', zh: '证书序列号应为大写' },
      text,
    );
  }
  const isWechats =
    serialNo.startsWith('PUB_KEY_ID_') ||
    keys?.certificates().some(({ serial }) => serial === serialNo.toUpperCase());
  return refuse(
    isWechats
      ? {
          check,
          en: "this names WeChat Pay's key; serial_no is the serial of the merchant's own API certificate",
          zh: '这是微信支付公钥 ID 或平台证书的序列号；serial_no 应为商户 API 证书的序列号',
        }
      : {
          check,
          en: `the merchant has no API certificate ${serialNo.slice(0, 60)}`,
          zh: `商户没有序列号为 ${serialNo.slice(0, 60)} 的 API 证书`,
        },
    text,
  );
}

/** As WeChat writes it: the body cut short, the length in bytes of all of it. */
function describeMismatch(
  request: Request,
  { timestamp, nonce }: Authorization,
  stringToSign: string,
) {
  const body = request.body.toString('utf8');
  const shown = [...body].slice(0, SHOWN_BODY_CHARACTERS).join('');
  return {
    detail: { issue: 'sign not match' },
    field: 'signature',
    location: 'authorization',
    sign_information: {
      method: request.method,
      sign_message_length: Buffer.byteLength(stringToSign),
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
