/** The mistakes that make the signature of a v3 request fail. */
import { encodeGbk } from '../gbk.ts';
import type { Cause } from '../report.ts';
import { changeLine, type DraftGuess, draftGuess, rightDraft } from './draft.ts';
import { explainRsa, type MerchantCertificate } from './key.ts';
import { guessLayout } from './layout.ts';
import { listJsonTexts } from './json-texts.ts';

const [METHOD, URL_LINE, TIMESTAMP, NONCE, BODY] = [0, 1, 2, 3, 4] as const;

/** A request as it arrived, and the three fields of its Authorization header that are signed over or with. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query string, as received. */
  readonly url: string;
  /** The Host header; empty: there was none. */
  readonly host: string;
  readonly body: string;
  readonly timestamp: string;
  readonly nonce: string;
  /** Base64, as received. */
  readonly signature: string;
}

/**
 * Why a signature that does not verify is wrong, the most likely first. `named` is the certificate
 * whose serial number the request gives, `certificates` all of the merchant.
 */
export function explainRequestSignature(
  request: SignedRequest,
  named: MerchantCertificate,
  certificates: readonly MerchantCertificate[],
): Cause[] {
  const { method, url, timestamp, nonce, body, signature } = request;
  const lines = [method, url, timestamp, nonce, body];
  return explainRsa({
    received: signature,
    draft: rightDraft(lines),
    guesses: [
      ...guessLayout(lines),
      ...guessBody(body),
      ...guessUrl(request),
      ...guessMethod(method),
      ...guessStamp(timestamp),
      ...guessEncoding(),
    ],
    publicKeys: [named.publicKey],
    certificates,
  });
}

function guessBody(body: string): DraftGuess[] {
  if (body === '') {
    return ['undefined', 'null', '{}', '[]', '""'].map((text) =>
      draftGuess('body', [
        'BODY_SIGNED_BUT_NOT_SENT',
        `the body is empty, but ${text} was signed for it`,
        `报文主体为空，签名时却用了 ${text}`,
      ])(changeLine(BODY, () => text)),
    );
  }
  const guess = (code: string, en: string, zh: string, text: string) =>
    draftGuess('body', [code, en, zh])(changeLine(BODY, () => text));
  const again = listJsonTexts(body).map(({ text, how }) =>
    guess(
      'BODY_SERIALISED_AGAIN',
      `the body was serialised once for signing and once more, differently, for sending (signed: ${how}); sign and send the same text`,
      `报文主体在签名与发送时分别序列化，结果不一致（签名时：${how}）；应签名并发送同一段文本`,
      text,
    ),
  );
  return [
    guess(
      'BODY_NOT_SIGNED',
      'the body was sent but an empty one was signed',
      '发送了报文主体，签名时却用了空串',
      '',
    ),
    guess(
      'BODY_BLANKS',
      'the body was signed without the blanks or line ends around it',
      '签名时去掉了报文主体首尾的空白',
      body.trim(),
    ),
    guess(
      'BODY_BLANKS',
      'the body was signed with a line end after it',
      '签名时报文主体末尾多了换行符',
      `${body}\n`,
    ),
    guess(
      'BODY_ENCODED_TWICE',
      'the JSON text was encoded as JSON once more for signing',
      '签名时把 JSON 文本又序列化了一次',
      JSON.stringify(body),
    ),
    guess(
      'BODY_NOT_TEXT',
      'the words [object Object] were signed instead of the JSON',
      '签名时用了 [object Object]，而不是 JSON 文本',
      '[object Object]',
    ),
    ...again,
  ];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function guessUrl({ url, host }: SignedRequest): DraftGuess[] {
  const [path = '', query] = url.split('?', 2);
  const guess = (code: string, en: string, zh: string, text: string) =>
    draftGuess('url', [code, en, zh])(changeLine(URL_LINE, () => text));
  const withHost = [`http://${host}`, `https://${host}`, 'https://api.mch.weixin.qq.com', host].map(
    (origin) =>
      guess(
        'URL_WITH_HOST',
        'the address was signed with scheme or host; sign path and query only',
        '签名时 URL 带上了协议或域名；应只用路径与查询串',
        origin + url,
      ),
  );
  const ofQuery =
    query === undefined
      ? []
      : [
          guess(
            'QUERY_NOT_SIGNED',
            'the query string was sent but not signed',
            '发送了查询串，但没有参与签名',
            path,
          ),
          guess(
            'QUERY_DECODED',
            'the address was signed decoded; sign it as it is sent',
            '签名用的是解码后的 URL；应与实际发送的一致',
            decode(url),
          ),
          draftGuess('url', [
            'QUERY_SIGNED_AS_BODY',
            'the query string was signed as the body',
            '把查询串当作报文主体参与了签名',
          ])((draft) => changeLine(BODY, () => query)(changeLine(URL_LINE, () => path)(draft))),
        ];
  return [
    ...withHost,
    ...ofQuery,
    guess(
      'URL_ENCODED',
      'the address was encoded for signing',
      '签名时对 URL 做了编码',
      encodeURI(url),
    ),
    guess('URL_DECODED', 'the path was signed decoded', '签名用的是解码后的路径', decode(url)),
    guess(
      'URL_INCOMPLETE',
      'the address was signed without the slash at its beginning',
      '签名时 URL 缺少开头的斜杠',
      url.slice(1),
    ),
    guess(
      'URL_INCOMPLETE',
      'the address was signed without /v3',
      '签名时 URL 缺少 /v3',
      url.slice(3),
    ),
    guess(
      'URL_SLASH',
      'the path was signed with a slash at its end',
      '签名时路径末尾多了斜杠',
      `${path}/${query === undefined ? '' : `?${query}`}`,
    ),
    ...['{out_trade_no}', '{transaction_id}', ':out_trade_no'].map((name) =>
      guess(
        'PLACEHOLDER_SIGNED',
        `the address was signed with ${name} in it instead of the value`,
        `签名时 URL 中保留了占位符 ${name}`,
        url.replace(/(\/(?:out-trade-no|id)\/)[^/?]+/, `$1${name}`),
      ),
    ),
  ];
}

function guessMethod(method: string): DraftGuess[] {
  const other = method === 'GET' ? 'POST' : 'GET';
  return [
    draftGuess('method', [
      'METHOD_LOWER_CASE',
      'the method was signed in lower case',
      '签名时请求方法用了小写',
    ])(changeLine(METHOD, (line) => line.toLowerCase())),
    draftGuess('method', [
      'OTHER_METHOD',
      `${other} was signed, ${method} was sent`,
      `签名时请求方法为 ${other}，实际发送的是 ${method}`,
    ])(changeLine(METHOD, () => other)),
  ];
}

const NEARBY_SECONDS = [-3, -2, -1, 1, 2, 3];

function guessStamp(timestamp: string): DraftGuess[] {
  const seconds = Number(timestamp);
  const other = NEARBY_SECONDS.map((distance) =>
    draftGuess('timestamp', [
      'OTHER_TIMESTAMP',
      'another timestamp was signed than was sent: the clock was read twice',
      '签名与 HTTP 头中的时间戳不同：取了两次时间',
    ])(changeLine(TIMESTAMP, () => (seconds + distance).toString())),
  );
  return [
    ...other,
    draftGuess('timestamp', [
      'TIMESTAMP_IN_MILLISECONDS',
      'the timestamp was signed in milliseconds',
      '签名时时间戳用了毫秒',
    ])(changeLine(TIMESTAMP, (line) => `${line}000`)),
    draftGuess('nonce', [
      'NONCE_CASE',
      'the nonce was signed in lower case',
      '签名时随机串用了小写',
    ])(changeLine(NONCE, (line) => line.toLowerCase())),
    draftGuess('nonce', [
      'NONCE_CASE',
      'the nonce was signed in upper case',
      '签名时随机串用了大写',
    ])(changeLine(NONCE, (line) => line.toUpperCase())),
  ];
}

function guessEncoding(): DraftGuess[] {
  return [
    draftGuess('encoding', ['GBK', 'signed over GBK bytes', '签名时用了 GBK 编码'])((draft) => ({
      ...draft,
      encode: encodeGbk,
    })),
    draftGuess('encoding', ['LATIN1', 'signed over Latin-1 bytes', '签名时用了 Latin-1 编码'])(
      (draft) => ({ ...draft, encode: (text) => Buffer.from(text, 'latin1') }),
    ),
  ];
}
