import { expect, test } from 'vitest';
import {
  ConfigError,
  OrderNotFoundError,
  UnreadableRowError,
  WechatPaySignatureError,
} from '../../lib/errors.ts';
import { countFailure } from '../../lib/runtime/count-failure.ts';
import { recordingLog } from '../support/recording-log.ts';

test.each<[string, unknown, object]>([
  ['a wrong setting', new ConfigError('the secret x is not JSON'), { ConfigError: 1 }],
  ['a damaged row', new UnreadableRowError('ORDER#1 ORDER', 'openid', ''), { OrderUnreadable: 1 }],
  ['a wrong signature', new WechatPaySignatureError('x'), { SignatureRejected: 1 }],
  ['a probe of WeChat’s', new WechatPaySignatureError('x', { isProbe: true }), {}],
  ['a buyer’s mistake', new OrderNotFoundError(), {}],
  ['a failure of our own', new TypeError('x'), {}],
  ['something that is no error', 'x', {}],
])('%s counts what its alarm watches', (_, error, counts) => {
  const log = recordingLog();
  countFailure(log, error);

  expect(log.counts).toEqual(counts);
});
