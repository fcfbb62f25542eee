/** Mistakes that only the signature of `wx.requestPayment` (paySign) knows, in API v3. */
import { changeLine, type DraftGuess, draftGuess } from './draft.ts';

const [APP_ID, TIME_STAMP, , PACKAGE] = [0, 1, 2, 3] as const;

/**
 * `providerAppid`: the service provider's own, when the mini-program of a sub-merchant pays; else
 * undefined.
 */
export function guessPaySign(providerAppid: string | undefined): DraftGuess[] {
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
    ...(providerAppid === undefined
      ? []
      : [
          draftGuess('appid', [
            'APPID_OF_PROVIDER',
            "signed with the service provider's appid; sign the sub_appid, whose mini-program pays",
            '签名用了服务商的 appid；应使用调起支付的小程序的 sub_appid',
          ])(changeLine(APP_ID, () => providerAppid)),
        ]),
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
