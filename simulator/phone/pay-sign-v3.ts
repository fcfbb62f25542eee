/** The signature that the phone checks (paySign) of an order of API v3: RSA, by the merchant's private key. */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { Message } from '../host/messages.ts';
import type { Order } from '../book/orders.ts';
import { readPayingAppid, WRONG_SIGNATURE } from './pay-sign-v2.ts';
import { type PaymentInput, type PhoneResult, refuse } from './result.ts';
import type { Service } from '../host/service.ts';
import { MERCHANT_KEY_NAME } from '../explain/report.ts';
import { rightDraft } from '../explain/v3/draft.ts';
import { explainRsa } from '../explain/v3/key.ts';
import { guessLayout } from '../explain/v3/layout.ts';
import { guessPaySign } from '../explain/v3/pay-sign.ts';

/** Undefined when the signature is right for this order; the report goes into `message`. */
export function checkPaySignV3(
  { merchant, account }: Pick<Service, 'merchant' | 'account'>,
  input: PaymentInput,
  order: Order,
  message: Message,
): PhoneResult | undefined {
  const appId = readPayingAppid(merchant, input, order);
  if (typeof appId !== 'string') {
    return appId;
  }
  const signType = input['signType'] as string | undefined;
  if (signType !== 'RSA') {
    return refuse(
      signType === 'MD5' || signType === 'HMAC-SHA256' ? 'SIGN_TYPE_DIFFERS' : 'SIGN_TYPE_INVALID',
      WRONG_SIGNATURE,
      `signType is ${signType ?? 'missing (MD5, the default)'}; an order of API v3 needs RSA`,
    );
  }
  const lines = [
    appId,
    ...['timeStamp', 'nonceStr', 'package'].map((name) => input[name] as string),
  ];
  const stringToSign = Formatter.joinedByLineFeed(...lines);
  const received = input['paySign'] as string;
  const certificates = account.certificates();
  const valid = certificates.filter(({ revoked }) => !revoked);
  const signer = valid.find(({ publicKey }) => Rsa.verify(stringToSign, received, publicKey));
  const report = { declaredSignType: signType, algorithm: 'RSA', stringToSign, received } as const;
  if (signer) {
    message.signature = {
      ...report,
      result: 'valid',
      expected: received,
      serial: signer.serialNo,
      keyName: MERCHANT_KEY_NAME,
    };
    return undefined;
  }
  const likelyCauses = explainRsa({
    received,
    draft: rightDraft(lines),
    guesses: [
      ...guessPaySign(order.terms.subAppid ? merchant.appid : undefined),
      ...guessLayout(lines),
    ],
    publicKeys: valid.map(({ publicKey }) => publicKey),
    certificates,
  });
  const reason = likelyCauses.map(({ en }) => en).join('; and ');
  message.signature = { ...report, result: 'invalid', expected: null, reason, likelyCauses };
  return refuse('SIGNATURE_INVALID', WRONG_SIGNATURE, reason, likelyCauses);
}
