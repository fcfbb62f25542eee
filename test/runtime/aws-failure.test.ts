import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { TemporarilyUnavailableError } from '../../lib/errors.ts';
import { namePassingFailure } from '../../lib/runtime/aws-failure.ts';

const failure = (name: string, more: object = {}) =>
  Object.assign(new Error('a text of AWS'), { name, ...more });

const cancelled = (...codes: (string | undefined)[]) =>
  new TransactionCanceledException({
    message: 'm',
    $metadata: { httpStatusCode: 400 },
    CancellationReasons: codes.map((Code) => ({ ...(Code !== undefined && { Code }) })),
  });

describe('a failure of AWS', () => {
  test.each<[string, Error]>([
    ['throttling', failure('ThrottlingException', { $metadata: { httpStatusCode: 400 } })],
    ['a table that is too slow for its load', failure('ProvisionedThroughputExceededException')],
    ['an account that asks too much', failure('RequestLimitExceeded')],
    ['a fault of DynamoDB', failure('InternalServerError', { $fault: 'server' })],
    ['a fault of Secrets Manager', failure('InternalServiceError')],
    ['any answer of 500', failure('NewKindOfError', { $metadata: { httpStatusCode: 500 } })],
    ['any answer of 429', failure('NewKindOfError', { $metadata: { httpStatusCode: 429 } })],
    ['what the SDK may send again', failure('NewKindOfError', { $retryable: {} })],
    ['no answer in time', failure('TimeoutError', { $metadata: { attempts: 3 } })],
    ['nobody who listens', failure('Error', { code: 'ECONNREFUSED' })],
    ['a broken connection', failure('Error', { code: 'ECONNRESET' })],
    ['a name that cannot be resolved', failure('Error', { code: 'EAI_AGAIN' })],
    ['a throttled transaction', cancelled('None', 'ThrottlingError')],
    ['rows that another writer holds', cancelled('TransactionConflict', undefined)],
  ])('that passes is named as such: %s', (_, error) => {
    const named = namePassingFailure(error);

    expect(named).toBeInstanceOf(TemporarilyUnavailableError);
    expect(named).toMatchObject({
      message: `AWS cannot serve just now: ${error.name}`,
      cause: error,
    });
  });

  test.each<[string, unknown]>([
    ['a condition that does not hold', failure('ConditionalCheckFailedException')],
    [
      'a request that is wrong',
      failure('ValidationException', { $metadata: { httpStatusCode: 400 } }),
    ],
    ['a table that is not there', failure('ResourceNotFoundException')],
    [
      'a right that is missing',
      failure('AccessDeniedException', { $metadata: { httpStatusCode: 403 } }),
    ],
    ['a transaction whose condition does not hold', cancelled('ConditionalCheckFailed', 'None')],
    ['the same beside a conflict', cancelled('ConditionalCheckFailed', 'TransactionConflict')],
    ['a transaction without a reason', cancelled()],
    ['a transaction without a guilty row', cancelled('None', 'None')],
    ['a file that is not there', failure('Error', { code: 'ENOENT' })],
    ['a mistake of ours', new TypeError('x is not a function')],
    ['no error at all', 'ThrottlingException'],
    ['nothing', undefined],
  ])('that stays, or is none, stays as it is: %s', (_, error) => {
    expect(namePassingFailure(error)).toBe(error);
  });
});
