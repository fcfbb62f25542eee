/**
 * AWS Signature Version 4: what a request is signed over, and the signature of it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const TERMINATOR = 'aws4_request';

/** A request as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** The path as it was sent, its percent signs and all. */
  readonly encodedPath: string;
  readonly rawQueryString: string;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** For which day, region and service a key signs. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/**
 * The canonical request. The hash of the payload is always that of the body which came, so a request
 * signed as `UNSIGNED-PAYLOAD` or in signed chunks, which S3 alone takes, has another one.
 */
export function createCanonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
): string {
  return [
    request.method,
    canonicalPath(request.encodedPath),
    canonicalQuery(request.rawQueryString),
    ...signedHeaders.map((name) => `${name}:${readHeader(request, name) ?? ''}`),
    '',
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}

/** Hexadecimal; `timestamp` is `YYYYMMDDTHHMMSSZ`. */
export function createSignature(
  canonicalRequest: string,
  timestamp: string,
  { date, region, service }: CredentialScope,
  secretAccessKey: string,
): string {
  const scope = [date, region, service, TERMINATOR].join('/');
  const stringToSign = [ALGORITHM, timestamp, scope, sha256(canonicalRequest)].join('\n');
  const signingKey = [date, region, service, TERMINATOR].reduce<string | Buffer>(
    (key, part) => hmac(key, part),
    `AWS4${secretAccessKey}`,
  );
  return hmac(signingKey, stringToSign).toString('hex');
}

/**
 * A header's values, joined by commas, each trimmed and with runs of spaces as one; undefined when
 * there is none. `name` is in lower case.
 */
export function readHeader({ rawHeaders }: SignedRequest, name: string): string | undefined {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
  return values.length === 0
    ? undefined
    : values.map((value) => value.trim().replaceAll(/ +/g, ' ')).join(',');
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * Without `.`, `..` and empty segments, and every segment encoded once more: all services but S3
 * sign the encoded path, encoded.
 */
function canonicalPath(encodedPath: string): string {
  const segments: string[] = [];
  for (const segment of encodedPath.split('/')) {
    if (segment === '..') {
      segments.pop();
    } else if (segment !== '' && segment !== '.') {
      segments.push(encode(segment));
    }
  }
  const ending = segments.length > 0 && encodedPath.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${ending}`;
}

/** Sorted by name, then by value, as they are encoded. */
function canonicalQuery(rawQueryString: string): string {
  return rawQueryString
    .split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const [name = '', ...value] = parameter.split('=');
      return [encode(decode(name)), encode(decode(value.join('=')))] as const;
    })
    .toSorted(([name, value], [otherName, otherValue]) =>
      name === otherName ? compare(value, otherValue) : compare(name, otherName),
    )
    .map((parameter) => parameter.join('='))
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** RFC 3986: all but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What is no encoding stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
