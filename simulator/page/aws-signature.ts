/**
 * Signs a request for a route behind AWS_IAM, as the merchant's own systems do (Signature Version 4).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';

const ALGORITHM = 'AWS4-HMAC-SHA256';

export interface AwsSigner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

/** A request without a query; `path` as it is sent. */
export interface UnsignedRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly body: Buffer;
}

/** The headers that prove who sends it. @param nowMs the real time, which AWS judges it by. */
export function signAwsRequest(
  { method, host, path, body }: UnsignedRequest,
  { accessKeyId, secretAccessKey, region, service }: AwsSigner,
  nowMs: number,
): Readonly<Record<string, string>> {
  const timestamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = timestamp.slice(0, 8);
  const signed = { host, 'x-amz-date': timestamp };
  const names = Object.keys(signed).join(';');
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}`);
  const canonical = [method, encodeAgain(path), '', ...lines, '', names, sha256(body)].join('\n');
  const scope = [date, region, service, 'aws4_request'];
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const toSign = [ALGORITHM, timestamp, scope.join('/'), sha256(canonical)].join('\n');
  const signature = Buffer.from(hmac(key, toSign)).toString('hex');
  const credential = [accessKeyId, ...scope].join('/');
  return {
    'x-amz-date': timestamp,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** Every service but S3 has the path, encoded as it is, encoded a second time. */
const encodeAgain = (path: string) =>
  path
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replaceAll(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join('/');

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

const hmac = (key: string | Buffer, content: string) =>
  createHmac('sha256', key).update(content).digest();
