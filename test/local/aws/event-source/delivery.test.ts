import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { deliver, type DeliveryRules } from '../../../../local/aws/event-source/delivery.ts';
import type { InvocationOutcome } from '../../../../local/aws/lambda.ts';
import { MADE_AT_SECONDS, numbersOf, recordOf, recordsUpTo } from './records.ts';

const FOR_EVER: DeliveryRules = {
  retryAttempts: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  bisects: false,
  reportsFailures: true,
};
const broken: InvocationOutcome = {
  ok: false,
  error: { errorType: 'Error', errorMessage: 'broken' },
};
const succeeded: InvocationOutcome = { ok: true, result: { batchItemFailures: [] } };
const failedAt = (...ids: unknown[]): InvocationOutcome => ({
  ok: true,
  result: { batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) },
});

/** Delivers to a function that answers as `answer` says, and tells what happened in order. */
async function run(
  records: readonly DynamoDBRecord[],
  rules: Partial<DeliveryRules>,
  answer: (numbers: readonly unknown[], attempt: number) => InvocationOutcome,
  more: { giveUpAfter?: number; nowMs?: (attempt: number) => number } = {},
) {
  const batches: string[] = [];
  const checkpoints: string[] = [];
  const discarded: unknown[][] = [];
  const pauses: number[] = [];
  const failures: (string | undefined)[] = [];
  const result = await deliver(
    records,
    { ...FOR_EVER, ...rules },
    {
      invoke: async (given) => {
        batches.push(numbersOf(given).join(' '));
        return answer(numbersOf(given), batches.length);
      },
      checkpoint: (sequenceNumber) => void checkpoints.push(sequenceNumber),
      discard: (given, condition, lastFailure) =>
        void discarded.push([numbersOf(given).join(' '), condition, lastFailure]),
      onAttempt: (_done, failure) => void failures.push(failure),
      pause: async (milliseconds) => void pauses.push(milliseconds),
      isGivenUp: () => batches.length >= (more.giveUpAfter ?? Number.POSITIVE_INFINITY),
      nowMs: () => more.nowMs?.(batches.length) ?? MADE_AT_SECONDS * 1000,
    },
  );
  return { result, batches, checkpoints, discarded, pauses, failures };
}

describe('a batch', () => {
  it.each([
    ['an empty list of failures', succeeded],
    ['null', { ok: true, result: null } as const],
    ['an empty object', { ok: true, result: {} } as const],
  ])('is done with once, when the function answers %s', async (_, outcome) => {
    const { result, batches, checkpoints, pauses } = await run(recordsUpTo(3), {}, () => outcome);
    expect({ result, batches, checkpoints, pauses }).toEqual({
      result: 'done',
      batches: ['1 2 3'],
      checkpoints: ['3'],
      pauses: [],
    });
  });

  it('comes again whole after an error, with longer and longer pauses up to a second', async () => {
    const { batches, checkpoints, pauses } = await run(recordsUpTo(2), {}, (_, attempt) =>
      attempt < 7 ? broken : succeeded,
    );
    expect(batches).toEqual(Array.from({ length: 7 }, () => '1 2'));
    expect(checkpoints).toEqual(['2']);
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('comes again from the first failed record on, whichever else are named', async () => {
    const { batches, checkpoints, failures } = await run(recordsUpTo(5), {}, (_, attempt) =>
      attempt === 1 ? failedAt('4', '3') : succeeded,
    );
    expect(batches).toEqual(['1 2 3 4 5', '3 4 5']);
    expect(checkpoints).toEqual(['2', '5']);
    expect(failures).toEqual(['record 3 of 5 failed, so 3 are given again', undefined]);
  });

  it.each([['9'], [''], [null], [undefined]])(
    'fails whole when the answer names %j, which is none of its records',
    async (id) => {
      const { batches, checkpoints } = await run(recordsUpTo(2), {}, (_, attempt) =>
        attempt === 1 ? failedAt('2', id) : succeeded,
      );
      expect(batches).toEqual(['1 2', '1 2']);
      expect(checkpoints).toEqual(['2']);
    },
  );

  it('is done with whatever the answer says, without ReportBatchItemFailures', async () => {
    const { batches } = await run(recordsUpTo(2), { reportsFailures: false }, () => failedAt('1'));
    expect(batches).toEqual(['1 2']);
  });

  it('is halved after errors until the record that fails is alone, in order', async () => {
    const { batches, checkpoints, discarded } = await run(
      recordsUpTo(4),
      { bisects: true, retryAttempts: 1 },
      (numbers) => (numbers.includes('2') ? broken : succeeded),
    );
    expect(batches).toEqual(['1 2 3 4', '1 2', '1', '2', '2', '3 4']);
    expect(discarded).toEqual([['2', 'RetryAttemptsExhausted', 'Error: broken']]);
    expect(checkpoints).toEqual(['1', '2', '4']);
  });

  it('is not halved where the function names the record: it is cut there', async () => {
    const { batches } = await run(recordsUpTo(4), { bisects: true }, (_, attempt) =>
      attempt < 3 ? failedAt('2') : succeeded,
    );
    expect(batches).toEqual(['1 2 3 4', '2 3 4', '2 3 4']);
  });

  it('goes to the destination whole when its attempts are used up, then counts as done', async () => {
    const { result, batches, discarded, checkpoints } = await run(
      recordsUpTo(3),
      { retryAttempts: 2 },
      () => failedAt('1'),
    );
    expect(result).toBe('done');
    expect(batches).toHaveLength(3);
    expect(discarded).toEqual([
      ['1 2 3', 'RetryAttemptsExhausted', 'record 1 of 3 failed, so 3 are given again'],
    ]);
    expect(checkpoints).toEqual(['3']);
  });

  it('has its attempts counted anew once some of it is done with', async () => {
    const { batches, discarded } = await run(recordsUpTo(3), { retryAttempts: 1 }, (numbers) =>
      failedAt(numbers.at(1) ?? numbers[0]),
    );
    expect(batches).toEqual(['1 2 3', '2 3', '3']);
    expect(discarded).toEqual([
      ['3', 'RetryAttemptsExhausted', 'record 1 of 1 failed, so 1 are given again'],
    ]);
  });

  it('is given up when it is told to, its checkpoint before what is not done with', async () => {
    const { result, batches, checkpoints, discarded } = await run(
      recordsUpTo(3),
      {},
      () => failedAt('2'),
      { giveUpAfter: 2 },
    );
    expect(result).toBe('given up');
    expect(batches).toEqual(['1 2 3', '2 3']);
    expect(checkpoints).toEqual(['1']);
    expect(discarded).toEqual([]);
  });
});

describe('a record that is too old', () => {
  const second = { ApproximateCreationDateTime: MADE_AT_SECONDS + 30 };
  const records = [recordOf('1'), recordOf('2', second)];

  it('is not given to the function, but to the destination', async () => {
    const { batches, discarded, checkpoints } = await run(
      records,
      { maxAgeMs: 60_000 },
      () => succeeded,
      { nowMs: () => (MADE_AT_SECONDS + 61) * 1000 },
    );
    expect(batches).toEqual(['2']);
    expect(discarded).toEqual([['1', 'RecordAgeExceeded', undefined]]);
    expect(checkpoints).toEqual(['1', '2']);
  });

  it('grows too old while it fails, each at its own time', async () => {
    const { result, batches, discarded, checkpoints } = await run(
      records,
      { maxAgeMs: 60_000 },
      () => failedAt('1'),
      { nowMs: (attempt) => (MADE_AT_SECONDS + 25 * (attempt + 1)) * 1000 },
    );
    expect(result).toBe('done');
    expect(batches).toEqual(['1 2', '1 2', '2']);
    expect(discarded.map(([numbers, condition]) => [numbers, condition])).toEqual([
      ['1', 'RecordAgeExceeded'],
      ['2', 'RecordAgeExceeded'],
    ]);
    expect(checkpoints).toEqual(['1', '2']);
  });

  it('is exactly as old as it may be: given to the function', async () => {
    const { batches } = await run(records, { maxAgeMs: 60_000 }, () => succeeded, {
      nowMs: () => (MADE_AT_SECONDS + 60) * 1000,
    });
    expect(batches).toEqual(['1 2']);
  });
});
