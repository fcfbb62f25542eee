/** The `Authorization` header of API v3: scheme and five fields. */

export interface Authorization {
  readonly mchid: string;
  readonly serialNo: string;
  readonly nonce: string;
  readonly timestamp: string;
  readonly signature: string;
}

export type Parsed =
  | { readonly ok: true; readonly value: Authorization }
  | { readonly ok: false; readonly isScheme: boolean; readonly en: string; readonly zh: string };

const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
const NAMES = ['mchid', 'nonce_str', 'timestamp', 'serial_no', 'signature'] as const;
const FIELD = /^([a-z_]+)="([^"]*)"$/;

const refuse = (en: string, zh: string, isScheme = false): Parsed => ({
  ok: false,
  isScheme,
  en,
  zh,
});

/** Values in double quotes, commas without blanks between the fields, any order. */
export function parseAuthorization(header: string | undefined): Parsed {
  if (!header) {
    return refuse('there is no Authorization header', '缺少 HTTP 头 Authorization');
  }
  const [scheme = '', ...rest] = header.split(' ');
  if (scheme !== SCHEME) {
    return refuse(
      `the scheme is "${scheme.slice(0, 40)}", not ${SCHEME}`,
      `认证类型不是 ${SCHEME}`,
      true,
    );
  }
  const fields = new Map<string, string>();
  for (const piece of rest.join(' ').split(',')) {
    const [, name, value] = FIELD.exec(piece) ?? [];
    if (name === undefined || value === undefined) {
      return refuse(
        `"${piece.slice(0, 60)}" is not name="value" (commas without blanks, double quotes, one blank after the scheme)`,
        '字段格式应为 name="value"，以英文逗号分隔、无空格，认证类型后只有一个空格',
      );
    }
    if (fields.has(name) || !NAMES.some((known) => known === name)) {
      return refuse(`${name} is unknown or appears twice`, `字段 ${name} 未定义或重复`);
    }
    fields.set(name, value);
  }
  const missing = NAMES.filter((name) => !fields.get(name));
  if (missing.length > 0) {
    return refuse(`${missing.join(', ')} is missing`, `缺少字段 ${missing.join('、')}`);
  }
  const [mchid = '', nonce = '', timestamp = '', serialNo = '', signature = ''] = NAMES.map(
    (name) => fields.get(name),
  );
  return { ok: true, value: { mchid, nonce, timestamp, serialNo, signature } };
}
