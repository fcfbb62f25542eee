/** Calls of DynamoDB Streams, signed with the key that the functions have here. */
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';

const ANSWER_LIMIT_MS = 30_000;
const OUTDATED = new Set(['ExpiredIteratorException', 'TrimmedDataAccessException']);

/** A refusal of DynamoDB Streams. */
export class StreamsError extends Error {
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(`${exception}: ${message}`);
    this.name = 'StreamsError';
    this.exception = exception;
  }

  /** The place to read from is not kept any more. */
  get isOutdated(): boolean {
    return OUTDATED.has(this.exception);
  }
}

const signer = new SignatureV4({
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  // DynamoDB Local keeps tables of each key and region apart: the functions' own.
  region: 'us-east-1',
  service: 'dynamodb',
  sha256: Sha256,
});

/** The answer of one call; throws StreamsError when it is refused. */
export async function callStreams<T>(
  endpoint: string,
  operation: string,
  input: object,
): Promise<T> {
  const { protocol, hostname, port, pathname, host } = new URL(endpoint);
  const body = JSON.stringify(input);
  const request = new HttpRequest({
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path: pathname,
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
    },
    body,
  });
  const { headers } = await signer.sign(request);
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const content = (await answer.json()) as T & { __type?: string; message?: string };
  if (!answer.ok) {
    const exception = content.__type?.replace(/^.*#/, '') ?? `HTTP ${answer.status}`;
    throw new StreamsError(exception, content.message ?? '');
  }
  return content;
}
