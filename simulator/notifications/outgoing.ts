/** One attempt to notify: the bytes and headers that go out, and what is known about their signature. */
import { judgeAcknowledgementV2, judgeAcknowledgementV3, type Judge } from './delivery.ts';
import type { SignatureReport } from '../explain/report.ts';
import { reportOwnSignature } from '../explain/v2/signature.ts';
import type { Fault } from '../host/faults.ts';
import type { Service } from '../host/service.ts';
import { alterAmount, alterMerchant, tamper } from '../v2/forgery.ts';
import type { Notice, NoticeV3, PaymentNoticeV2, RefundNoticeV2 } from './notice.ts';
import { encryptRefund } from './refund-notice.ts';
import { alterHead, alterResource, alterTail, type ForgedBody } from '../v3/forgery.ts';
import { encryptResource } from '../v3/resource.ts';
import { reportAlteredBody, type SignatureFault, signMessage } from '../v3/sign.ts';
import { type Fields, judgeFields, toXml } from '../v2/wire.ts';

export interface Outgoing {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly judge: Judge;
  readonly signature?: SignatureReport;
  readonly plaintext?: string;
}

type Parts = Pick<Service, 'account' | 'keys' | 'clock' | 'randomBytes'>;

const HEADERS = { 'User-Agent': 'Mozilla/4.0', Accept: '*/*', Pragma: 'no-cache' };
const XML_HEADERS = { ...HEADERS, 'Content-Type': 'text/xml' };

/** Written anew for each attempt: a v3 signature is good for 5 minutes. */
export function writeNotification(
  parts: Parts,
  notice: Notice,
  fault: Fault | undefined,
): Outgoing {
  switch (notice.kind) {
    case 'payment-v2':
      return writePaymentV2(parts, notice, fault);
    case 'refund-v2':
      return writeRefundV2(notice, fault);
    case 'payment-v3':
    case 'refund-v3':
      return writeV3(parts, notice, fault);
  }
}

function writePaymentV2({ account }: Parts, notice: PaymentNoticeV2, fault?: Fault): Outgoing {
  const { signType } = notice;
  const fields = forgeV2(notice, fault, account.current().apiV2Key);
  const { sign = '', ...signed } = fields;
  return {
    headers: XML_HEADERS,
    body: toXml(fields),
    judge: judgeAcknowledgementV2,
    signature:
      fault?.kind === 'tamper'
        ? judgeTampered(signed, sign, notice, account.current().apiV2Key)
        : reportOwnSignature(signed, sign, signType),
  };
}

function forgeV2({ fields, signType }: PaymentNoticeV2, fault: Fault | undefined, key: string) {
  switch (fault?.kind) {
    case 'tamper':
      return tamper(fields);
    case 'wrong-amount':
      return alterAmount(fields, key, signType);
    case 'wrong-merchant':
      return alterMerchant(fields, key, signType);
    default:
      return fields;
  }
}

/** What every honest receiver finds out about a message that was altered after signing. */
function judgeTampered(fields: Fields, received: string, notice: PaymentNoticeV2, key: string) {
  const { signType } = notice;
  const declaredSignType = fields['sign_type'];
  return judgeFields({ fields, received, declaredSignType, signType, key, otherKeys: {} });
}

const addFen = (fen = '0') => (Number(fen) + 1).toString();

/** Unsigned: `tamper` damages what is encrypted. */
function writeRefundV2(notice: RefundNoticeV2, fault: Fault | undefined): Outgoing {
  const inner =
    fault?.kind === 'wrong-amount'
      ? { ...notice.inner, refund_fee: addFen(notice.inner['refund_fee']) }
      : notice.inner;
  const encrypted = encryptRefund({ ...notice, inner });
  const { mch_id: mchId = '' } = notice.fields;
  const fields = {
    ...notice.fields,
    ...(fault?.kind === 'wrong-merchant' ? { mch_id: alterTail(mchId) } : {}),
    req_info: fault?.kind === 'tamper' ? alterHead(encrypted) : encrypted,
  };
  return {
    headers: XML_HEADERS,
    body: toXml(fields),
    judge: judgeAcknowledgementV2,
    plaintext: toXml(inner, []),
  };
}

function writeV3(parts: Parts, notice: NoticeV3, fault: Fault | undefined): Outgoing {
  const { keys } = parts;
  if (!keys) {
    throw new Error('a v3 notification is due, but this start has no keys for API v3');
  }
  const honest = encryptResource(notice);
  const forged: ForgedBody = alterResource(notice, honest, fault);
  const signatureFault: SignatureFault =
    fault?.kind === 'probe' ? 'probe' : forged.part === 'signature' ? 'altered' : undefined;
  const { headers, report } = signMessage(
    keys.keyForNotification(notice.namesPublicKey),
    parts,
    forged.signed,
    signatureFault,
  );
  return {
    headers: { ...HEADERS, 'Content-Type': 'application/json', ...headers },
    body: forged.sent,
    judge: judgeAcknowledgementV3,
    signature: forged.sent === forged.signed ? report : reportAlteredBody(report),
    plaintext: JSON.stringify(forged.resource),
  };
}
