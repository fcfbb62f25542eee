/** Reads what WeChat answers: flat XML in v2, JSON errors in v3. */

/** An error answer of API v3. */
export interface V3Error {
  readonly code: string;
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Undefined: the body is none. */
export function readV3Error(body: string): V3Error | undefined {
  try {
    const error = JSON.parse(body) as V3Error;
    return typeof error.code === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** The text of one element of WeChat's flat XML. */
export function readXml(body: string, name: string): string | undefined {
  const pattern = new RegExp(`<${name}>(?:<!\\[CDATA\\[(.*?)\\]\\]>|([^<]*))</${name}>`, 's');
  const [, cdata, plain] = pattern.exec(body) ?? [];
  return cdata ?? plain;
}
