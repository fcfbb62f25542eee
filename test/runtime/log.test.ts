import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ConfigError,
  InvalidRequestError,
  LoginError,
  WechatPayServiceError,
  WechatPayTransportError,
} from '../../lib/errors.ts';
import { createLog, describeError, type FunctionLog } from '../../lib/runtime/log.ts';

describe('what is said of a failure', () => {
  test('is name, code, reason and outcome of an error of ours', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { name: 'SystemError' });

    expect(describeError(new WechatPayTransportError('not-sent', 'host: no', cause))).toEqual({
      error: 'WechatPayTransportError',
      code: 'WECHAT_UNREACHABLE',
      attempts: 1,
      retryable: true,
      outcome: 'not-sent',
      reason: 'host: no',
      cause: 'SystemError: connect ECONNREFUSED',
    });
  });

  test('is WeChat’s own code too', () => {
    expect(describeError(new WechatPayServiceError('rejected', 'NOAUTH', '无权限'))).toEqual({
      error: 'WechatPayServiceError',
      code: 'WECHAT_PAY_REFUSED',
      retryable: false,
      outcome: 'rejected',
      wechatCode: 'NOAUTH',
      reason: 'WeChat Pay answered NOAUTH: 无权限',
    });
  });

  test('is what the text of the error names', () => {
    const error = new InvalidRequestError('AMOUNT_INVALID', { field: 'totalFen', min: 1, max: 2 });

    expect(describeError(error)).toMatchObject({ field: 'totalFen', min: 1, max: 2 });
  });

  test('has a stack only when nobody foresaw it', () => {
    expect(describeError(new ConfigError('r'))).not.toHaveProperty('stack');
    expect(describeError(new TypeError('x is undefined'))).toEqual({
      error: 'TypeError',
      reason: 'x is undefined',
      stack: expect.stringContaining('log.test.ts'),
    });
    const bare = new Error('no stack');
    delete bare.stack;
    expect(describeError(bare)).toEqual({ error: 'Error', reason: 'no stack' });
  });

  test('is cut short when somebody else chose its text, so that nobody can flood the log', () => {
    const long = 'x'.repeat(30_000);
    const cut = `${'x'.repeat(500)}…`;

    expect(
      describeError(new InvalidRequestError('INVALID_REQUEST', { field: long })),
    ).toMatchObject({
      field: cut,
      reason: `INVALID_REQUEST (field=${'x'.repeat(477)}…`,
    });
    expect(describeError(new WechatPayServiceError('rejected', long, long))).toMatchObject({
      wechatCode: cut,
      reason: expect.stringMatching(/^.{500}…$/),
    });
    expect(describeError(new ConfigError('r', new Error(long)))).toMatchObject({
      cause: expect.stringMatching(/^.{500}…$/),
    });
    expect(describeError(new Error(long))).toMatchObject({
      reason: cut,
      stack: expect.stringMatching(/^.{4000}…$/s),
    });
  });

  test.each([
    ['a text that may be anything', 's3cret', { error: 'string' }],
    ['nothing', undefined, { error: 'undefined' }],
    ['an object', { key: 's3cret' }, { error: 'object' }],
  ])('is only its type when what was thrown is %s', (_, thrown, expected) => {
    expect(describeError(thrown)).toEqual(expected);
  });

  test('leaves out a cause that is no error', () => {
    expect(describeError(new ConfigError('r', { key: 's3cret' }))).toEqual({
      error: 'ConfigError',
      code: 'CONFIG_ERROR',
      retryable: false,
      reason: 'r',
    });
  });
});

describe('the log of a function', () => {
  const written: string[] = [];
  let log: FunctionLog;

  beforeEach(() => {
    vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'wechatpay-serverless-test');
    vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'WechatPayServerless');
    // Makes Powertools write through `console`, which a test can listen to.
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    for (const level of ['log', 'info', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((line: unknown) => {
        written.push(String(line));
      });
    }
    log = createLog('notify');
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    written.length = 0;
  });

  const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);

  test('is one JSON line for each entry, with function and request', () => {
    const request = log.forRequest('request-0001');
    request.info('order changed', { outTradeNo: 'order-0001' });
    request.warn('careful');
    request.error('failed', describeError(new LoginError('WEIXIN_BUSY', 'reason')));

    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'INFO',
        message: 'order changed',
        service: 'wechatpay-serverless-test',
        function: 'notify',
        requestId: 'request-0001',
        outTradeNo: 'order-0001',
      }),
      expect.objectContaining({ level: 'WARN', message: 'careful', requestId: 'request-0001' }),
      expect.objectContaining({
        level: 'ERROR',
        message: 'failed',
        error: 'LoginError',
        code: 'WEIXIN_BUSY',
        reason: 'reason',
      }),
    ]);
  });

  test("has Lambda's request id in every line, metrics too, beside the id that the caller knows", () => {
    const request = log.forRequest('request-0001', 'lambda-0001');
    request.info('one');
    request.error('two', { outTradeNo: 'order-0001' });
    request.count('OrderPaid');
    log.flush();
    log.forRequest('run-0001').warn('a run has one id');

    expect(lines()).toEqual([
      expect.objectContaining({ requestId: 'request-0001', lambdaRequestId: 'lambda-0001' }),
      expect.objectContaining({ requestId: 'request-0001', lambdaRequestId: 'lambda-0001' }),
      expect.objectContaining({ OrderPaid: 1, lambdaRequestId: 'lambda-0001' }),
      expect.objectContaining({ requestId: 'run-0001', lambdaRequestId: 'run-0001' }),
    ]);
  });

  test('keeps the requests of one environment apart', () => {
    const [first, second] = [log.forRequest('request-1'), log.forRequest('request-2')];
    second.info('two');
    first.info('one');

    expect(lines().map(({ message, requestId }) => [message, requestId])).toEqual([
      ['two', 'request-2'],
      ['one', 'request-1'],
    ]);
  });

  test('writes its metrics at the end, under the one dimension that the alarms use', () => {
    const request = log.forRequest('request-0001');
    request.count('OrderPaid');
    request.count('ReconcileOrderFailed', 3);

    expect(written).toEqual([]);
    log.flush();
    expect(lines()).toEqual([
      expect.objectContaining({
        service: 'wechatpay-serverless-test',
        OrderPaid: 1,
        ReconcileOrderFailed: 3,
        _aws: expect.objectContaining({
          CloudWatchMetrics: [
            {
              Namespace: 'WechatPayServerless',
              Dimensions: [['service']],
              Metrics: [
                { Name: 'OrderPaid', Unit: 'Count' },
                { Name: 'ReconcileOrderFailed', Unit: 'Count' },
              ],
            },
          ],
        }),
      }),
    ]);
  });

  test('writes nothing for metrics that were not counted, nor any of them twice', () => {
    log.flush();
    log.forRequest('request-0001').count('OrderPaid');
    log.flush();
    log.flush();

    expect(written).toHaveLength(1);
  });
});
