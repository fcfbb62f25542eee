/** The DynamoDB that the developer runs: is it there, and is it one? */
import { type DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';

const ANSWER_LIMIT_MS = 5000;
const EXAMPLE =
  'start one (docker run -p 8000:8000 amazon/dynamodb-local), name it (DYNAMODB_ENDPOINT=http://127.0.0.1:8000), or unset DYNAMODB_ENDPOINT';
const REFUSED_CREDENTIALS =
  /^(UnrecognizedClient|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|AccessDenied|ExpiredToken|InvalidClientTokenId)/;

/** @throws {Error} when the text is no http or https address. */
export function assertEndpoint(endpoint: string): void {
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new Error(`DYNAMODB_ENDPOINT=${endpoint} is not an http address: ${EXAMPLE}`);
  }
}

/** @throws {Error} saying what is at `endpoint` instead of a local DynamoDB, and what to do. */
export async function assertDynamoDb(client: DynamoDBClient, endpoint: string): Promise<void> {
  const abortSignal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const problem = await client.send(new ListTablesCommand({ Limit: 1 }), { abortSignal }).then(
    ({ TableNames }) => (Array.isArray(TableNames) ? undefined : describeStranger(endpoint)),
    (error: unknown) => describe(endpoint, error as Failure),
  );
  if (problem !== undefined) {
    throw new Error(problem);
  }
}

const describeStranger = (endpoint: string) =>
  `what answers at DYNAMODB_ENDPOINT (${endpoint}) is no DynamoDB: ${EXAMPLE}`;

interface Failure extends NodeJS.ErrnoException {
  /** Absent when no answer came. */
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: unknown;
}

function describe(endpoint: string, failure: Failure): string {
  const { name, code, $metadata, $response } = failure;
  if (REFUSED_CREDENTIALS.test(name)) {
    return `DYNAMODB_ENDPOINT (${endpoint}) refuses the stack's placeholder credentials (${name}): only a local DynamoDB takes them; ${EXAMPLE}`;
  }
  if (name === 'AbortError' || name === 'TimeoutError') {
    return `nothing answers at DYNAMODB_ENDPOINT (${endpoint}) within ${ANSWER_LIMIT_MS / 1000} s: ${EXAMPLE}`;
  }
  if ($response === undefined && $metadata?.httpStatusCode === undefined) {
    return `nothing answers at DYNAMODB_ENDPOINT (${endpoint}): ${code ?? failure.message}; ${EXAMPLE}`;
  }
  return describeStranger(endpoint);
}
