/** Which failures of AWS pass by themselves: overload, a fault of theirs, the network between. */
import { TemporarilyUnavailableError } from '../errors.ts';

/** What the SDK's errors, and Node's beneath them, may carry. */
interface AwsFailure {
  readonly $metadata?: { readonly httpStatusCode?: number };
  /** Set by the SDK for what may be sent again. */
  readonly $retryable?: object;
  /** Of Node's network errors. */
  readonly code?: unknown;
  /** Why a transaction was not carried out, one for each of its rows; `None` for the innocent. */
  readonly CancellationReasons?: readonly { readonly Code?: string }[];
}

/** Overload in the words of each service, and rows that another writer holds at this moment. */
const PASSING: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'ThrottledException',
  'Throttling',
  'ThrottlingError',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'RequestThrottledException',
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'SlowDown',
  'TransactionConflict',
  'TransactionConflictException',
  'TransactionInProgressException',
  'InternalServerError',
  'InternalServiceError',
  'InternalServiceErrorException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
]);

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** The error as it is, or, when it is one of AWS that passes, as what the caller can do about it. */
export function namePassingFailure(error: unknown): unknown {
  return error instanceof Error && isPassing(error)
    ? new TemporarilyUnavailableError(`AWS cannot serve just now: ${error.name}`, error)
    : error;
}

function isPassing(error: Error & AwsFailure): boolean {
  const { $metadata, $retryable, CancellationReasons } = error;
  const status = $metadata?.httpStatusCode ?? 0;
  return (
    PASSING.has(error.name) ||
    status >= 500 ||
    status === 429 ||
    $retryable !== undefined ||
    NETWORK.test(String(error.code)) ||
    isPassingCancellation(CancellationReasons)
  );
}

/** A transaction that only overload or another writer kept from being carried out. */
function isPassingCancellation(reasons: AwsFailure['CancellationReasons'] = []): boolean {
  const guilty = reasons.filter(({ Code = 'None' }) => Code !== 'None');
  return guilty.length > 0 && guilty.every(({ Code = '' }) => PASSING.has(Code));
}
