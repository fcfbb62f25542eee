/** The signature that the phone checks (paySign) of an order of API v3: RSA, by the merchant's private key. */
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { Message } from '../host/messages.ts';
import type { Order } from '../book/orders.ts';
import { readPayingAppid, WRONG_SIGNATURE } from './pay-sign-v2.ts';
import { type PaymentInput, type PhoneResult, refuse } from './result.ts';
import type { Wechat } from '../wechat.ts';
import { changeLine, type DraftGuess, draftGuess, rightDraft } from '../explain/v3/draft.ts';
import { explainRsa } from '../explain/v3/key.ts';
import { guessLayout } from '../explain/v3/layout.ts';
import { MERCHANT_KEY_NAME } from '../v3/sign.ts';

const [APP_ID, TIME_STAMP, , PACKAGE] = [0, 1, 2, 3] as const;

/** Undefined when the signature is right for this order; the report goes into `message`. */
export function checkPaySignV3(
  { merchant, account }: Wechat,
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
  const certificates = account.certificates().filter(({ revoked }) => !revoked);
  const signer = certificates.find(({ publicKey }) =>
    Rsa.verify(stringToSign, received, publicKey),
  );
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
    guesses: [...guessPaySign(order, merchant.appid), ...guessLayout(lines)],
    publicKeys: certificates.map(({ publicKey }) => publicKey),
    account,
  });
  const reason = likelyCauses.map(({ en }) => en).join('; and ');
  message.signature = { ...report, result: 'invalid', expected: null, reason, likelyCauses };
  return refuse('SIGNATURE_INVALID', WRONG_SIGNATURE, reason, likelyCauses);
}

/** Mistakes that only this signature knows. */
function guessPaySign(order: Order, appid: string): DraftGuess[] {
  return [
    draftGuess('package', [
      'PACKAGE_WITHOUT_PREFIX',
      'signed over the bare prepay_id; the fourth line is the whole text prepay_id=…',
      '签名时第四行只用了 prepay_id 的值；应为完整的 prepay_id=…',
    ])(changeLine(PACKAGE, (line) => line.slice('prepay_id='.length))),
    draftGuess('package', [
      'PACKAGE_WITH_NAME',
      'the fourth line was signed as package=prepay_id=…; it is the value only',
      '签名时第四行带上了参数名 package=；应只用参数值',
    ])(changeLine(PACKAGE, (line) => `package=${line}`)),
    draftGuess('appid', ['APPID_EMPTY', 'an empty appId was signed', '签名时 appId 为空'])(
      changeLine(APP_ID, () => ''),
    ),
    draftGuess('appid', [
      'APPID_UNSET',
      'the word "undefined" was signed for the appId',
      '签名时 appId 是 "undefined"（未读到配置）',
    ])(changeLine(APP_ID, () => 'undefined')),
    ...(order.terms.subAppid
      ? [
          draftGuess('appid', [
            'APPID_OF_PROVIDER',
            "signed with the service provider's appid; sign the sub_appid, whose mini-program pays",
            '签名用了服务商的 appid；应使用调起支付的小程序的 sub_appid',
          ])(changeLine(APP_ID, () => appid)),
        ]
      : []),
    draftGuess('timestamp', [
      'TIMESTAMP_IN_MILLISECONDS',
      'the timeStamp was signed in milliseconds',
      '签名时 timeStamp 用了毫秒',
    ])(changeLine(TIME_STAMP, (line) => `${line}000`)),
    draftGuess('fields', [
      'SIGN_TYPE_SIGNED',
      'a line with the signType was signed; it takes no part',
      '把 signType 也参与了签名；RSA 签名串不含 signType',
    ])((draft) => ({ ...draft, lines: [...draft.lines, 'RSA'] })),
    draftGuess('fields', [
      'SIGNED_LIKE_V2',
      'the string of API v2 (appId=…&nonceStr=…) was signed; v3 signs four lines of values',
      '用了 APIv2 的签名串（appId=…&nonceStr=…）；APIv3 签名串是四行参数值',
    ])((draft) => {
      const [appId, timeStamp, nonceStr, pack] = draft.lines;
      const text = `appId=${appId}&nonceStr=${nonceStr}&package=${pack}&signType=RSA&timeStamp=${timeStamp}`;
      return { ...draft, lines: [text], end: '' };
    }),
  ];
}
