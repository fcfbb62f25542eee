import { describe, expect, test } from 'vitest';
import { ConfigError, OrderConflictError } from '../../../lib/errors.ts';
import { describeError } from '../../../lib/runtime/log.ts';
import { openFunctionLog } from '../../../local/record/function-log.ts';

/** What the terminal shows of one line that a function printed. */
const shown = (functionName: string, entry: object): string[] => {
  const lines: string[] = [];
  const log = openFunctionLog(undefined, (line) => lines.push(line));
  log.sink(functionName, JSON.stringify(entry));
  log.close();
  return lines;
};

const failed = (error: Error) =>
  shown('prepay', {
    level: 'WARN',
    message: 'request failed',
    requestId: 'request-1',
    ...describeError(error),
  });

const RUN = {
  level: 'INFO',
  message: 'reconciled',
  due: 0,
  paid: 0,
  closed: 0,
  stillOpen: 0,
  settledMeanwhile: 0,
  mismatched: 0,
  failed: 0,
  timeRanOut: false,
};

describe('the terminal', () => {
  test('names a code once', () => {
    const error = new OrderConflictError('PRICE_CHANGED', { totalFen: 3000 });
    const [line = ''] = failed(error);

    expect(line.match(/PRICE_CHANGED/g)).toHaveLength(1);
    expect(line).toMatch(
      /^WARN {3}prepay {2}request failed {2}PRICE_CHANGED \(.*3000.*\) {2}request-1$/,
    );
  });

  test('still names a code that the reason does not begin with', () => {
    const entry = {
      level: 'ERROR',
      message: 'failed',
      code: 'WECHAT_PAY_BUSY',
      reason: 'no answer',
    };

    expect(shown('query', entry)).toEqual(['ERROR  query  failed  WECHAT_PAY_BUSY  no answer']);
  });

  test('says what is wrong with the configuration', () => {
    const error = new ConfigError(
      'the secret cannot be read',
      new Error('Secrets Manager cannot find the secret'),
    );

    expect(failed(error).join('')).toContain('Secrets Manager cannot find the secret');
  });

  test('shows a run of reconcile that did something, and no other', () => {
    expect(shown('reconcile', RUN)).toEqual([]);
    expect(shown('reconcile', { ...RUN, due: 1, paid: 1 })).toEqual([
      'RECON  due 1  paid 1  closed 0',
    ]);
    expect(shown('reconcile', { ...RUN, due: 3, closed: 1, failed: 2 })).toEqual([
      'RECON  due 3  paid 0  closed 1  failed 2',
    ]);
  });

  test('shows nothing of what goes as it should, and of what is no log line', () => {
    expect(shown('prepay', { level: 'INFO', message: 'order created' })).toEqual([]);
    expect(shown('prepay', ['_aws'])).toEqual([]);
  });
});
