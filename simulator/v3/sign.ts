/** WeChat Pay's own signature on what it sends: answers and notifications. */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { SignatureReport } from '../explain/report.ts';
import { randomText } from '../book/random.ts';
import type { SigningKey } from '../book/wechat-keys.ts';
import type { Service } from '../host/service.ts';

export const ALGORITHM = 'WECHATPAY2-SHA256-RSA2048';
/** Signatures that begin so are wrong on purpose: WeChat looks whether the merchant notices (签名探测流量). */
const PROBE_PREFIX = 'WECHATPAY/SIGNTEST/';

export interface SignedHead {
  readonly headers: Record<string, string>;
  readonly report: SignatureReport;
}

/** `probe` and `altered` are signatures that do not fit; the rest of the message is right. */
export type SignatureFault = 'probe' | 'altered' | undefined;

/** Headers over exactly this body. */
export function signMessage(
  key: SigningKey,
  { clock, randomBytes }: Pick<Service, 'clock' | 'randomBytes'>,
  body: string,
  fault?: SignatureFault,
): SignedHead {
  const timestamp = Math.floor(clock.now() / 1000).toString();
  const nonce = randomText(randomBytes, 32);
  const stringToSign = Formatter.response(timestamp, nonce, body);
  const expected = Rsa.sign(stringToSign, key.privateKey);
  const received = spoil(expected, fault);
  return {
    headers: {
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Signature': received,
      'Wechatpay-Timestamp': timestamp,
      'Wechatpay-Serial': key.serial,
      'Wechatpay-Signature-Type': ALGORITHM,
    },
    report: {
      result: fault ? 'invalid' : 'own',
      declaredSignType: ALGORITHM,
      algorithm: ALGORITHM,
      stringToSign,
      expected,
      received,
      serial: key.serial,
      keyName: key.name,
      ...(fault ? describeFault(FAULTS[fault]) : {}),
    },
  };
}

function spoil(signature: string, fault: SignatureFault): string {
  if (fault === 'probe') {
    return PROBE_PREFIX + signature;
  }
  const first = signature.startsWith('A') ? 'B' : 'A';
  return fault === 'altered' ? first + signature.slice(1) : signature;
}

const FAULTS = {
  probe: {
    code: 'PROBE',
    en: "one of WeChat's probes: the signature is wrong on purpose; refuse it like any other",
    zh: '签名探测流量：签名是故意错误的，应与其他错误签名一样拒绝',
  },
  altered: {
    code: 'SIGNATURE_ALTERED',
    en: 'the signature in the header was altered',
    zh: 'HTTP 头中的签名被改动',
  },
  body: {
    code: 'BODY_ALTERED',
    en: 'the body was altered after signing',
    zh: '报文主体在签名之后被改动',
  },
};

const describeFault = (cause: (typeof FAULTS)[keyof typeof FAULTS]) => ({
  reason: cause.en,
  likelyCauses: [cause],
});

/** The report on a message whose body was altered on the way. */
export const reportAlteredBody = (report: SignatureReport): SignatureReport => ({
  ...report,
  result: 'invalid',
  ...describeFault(FAULTS.body),
});
