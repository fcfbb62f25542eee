import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError } from '../../../../lib/errors.ts';
import { fromBeijingTime, toBeijingTime } from '../../../../lib/wechatpay/v2/protocol/time.ts';

describe('WeChat’s yyyyMMddHHmmss', () => {
  test.each([
    // The example of the documentation: 2009-12-25 09:10:10 in Beijing.
    ['20091225091010', '2009-12-25T01:10:10Z'],
    ['20260301000000', '2026-02-28T16:00:00Z'],
    ['20261231235959', '2026-12-31T15:59:59Z'],
    ['20240229120000', '2024-02-29T04:00:00Z'],
    // 1991: the last summer in which clocks in China were moved; WeChat’s time never is.
    ['19910701000000', '1991-06-30T16:00:00Z'],
  ])('%s is %s', (text, iso) => {
    expect(fromBeijingTime(text)).toBe(Date.parse(iso) / 1000);
    expect(toBeijingTime(Date.parse(iso) / 1000)).toBe(text);
  });

  test('keeps every second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (epochSeconds) => {
        expect(fromBeijingTime(toBeijingTime(epochSeconds))).toBe(epochSeconds);
      }),
    );
  });

  test.each([
    '',
    '2009122509101',
    '200912250910100',
    '2009-12-25 09:10:10',
    '20091225091010Z',
    ' 20091225091010',
    '20091325091010',
    '20090231091010',
    '20250229000000',
    '20091225241010',
    '20091225096010',
    '20091225091060',
    '２００９1225091010',
    '00000000000000',
  ])('is refused as "%s"', (text) => {
    expect(() => fromBeijingTime(text)).toThrow(
      new WechatPayMalformedMessageError('a time is not yyyyMMddHHmmss'),
    );
  });
});
