import { describe, expect, test } from 'vitest';
import { fromRfc3339, toRfc3339 } from '../../../../lib/wechatpay/v3/protocol/time.ts';

describe('times of API v3', () => {
  test('are written in Beijing time', () => {
    expect(toRfc3339(1_528_425_296)).toBe('2018-06-08T10:34:56+08:00');
  });

  test.each(['2018-06-08T10:34:56+08:00', '2018-06-08T02:34:56Z', '2018-06-08T02:34:56.789Z'])(
    'are read with any offset: %s',
    (text) => {
      expect(fromRfc3339(text)).toBe(1_528_425_296);
    },
  );

  test.each([
    '',
    '20180608103456',
    '2018-06-08 10:34:56',
    '2018-06-08T10:34:56',
    '2018-13-08T10:34:56Z',
  ])('are refused in another form: %j', (text) => {
    expect(() => fromRfc3339(text)).toThrow('a time is not RFC 3339');
  });
});
