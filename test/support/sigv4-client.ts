/** A caller of the routes behind AWS_IAM, who signs with the AWS SDK's own signer. */
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SigningOptions {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly region?: string;
  readonly service?: string;
  readonly date?: Date;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The headers of a signed request to this URL. */
export async function signHeaders(
  url: string,
  method: string,
  body: string | undefined,
  options: SigningOptions = {},
): Promise<Record<string, string>> {
  const { accessKeyId = 'local', secretAccessKey = 'local', sessionToken } = options;
  const { protocol, hostname, port, pathname, searchParams, host } = new URL(url);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
    region: options.region ?? 'us-east-1',
    service: options.service ?? 'execute-api',
    sha256: Sha256,
  });
  const query: Record<string, string[]> = {};
  for (const [name, value] of searchParams) {
    (query[name] ??= []).push(value);
  }
  const request = new HttpRequest({
    method,
    protocol,
    hostname,
    port: Number(port),
    path: pathname,
    query,
    headers: { host, ...options.headers },
    body,
  });
  const signed = await signer.sign(request, { signingDate: options.date ?? new Date() });
  return signed.headers;
}
