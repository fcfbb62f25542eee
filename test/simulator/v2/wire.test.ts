import { describe, expect, test } from 'vitest';
import { parseXml, signFields, toXml } from '../../../simulator/v2/wire.ts';
import { tenpayUtil } from '../support.ts';

describe('a signature equals the published one', () => {
  const DOCUMENTATION = {
    appid: 'wxd930ea5d5a258f4f',
    mch_id: '10000100',
    device_info: '1000',
    body: 'test',
    nonce_str: 'ibuaiVcKdpRxkhJA',
  };

  test.each([
    // WeChat Pay's signature page (chapter 4_3).
    [
      'MD5, documentation',
      DOCUMENTATION,
      '192006250b4c09247ec02edce69f6a2d',
      'MD5',
      '9A0A8659F005D6984697E2CA0A9CF3B7',
    ],
    [
      'HMAC-SHA256, documentation',
      DOCUMENTATION,
      '192006250b4c09247ec02edce69f6a2d',
      'HMAC-SHA256',
      '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6',
    ],
    // WeChat Pay's requestPayment page (wxa_api chapter 7_7).
    [
      'MD5, requestPayment',
      {
        appId: 'wxd678efh567hg6787',
        timeStamp: '1490840662',
        nonceStr: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
        package: 'prepay_id=wx2017033010242291fcfe0db70013231072',
        signType: 'MD5',
      },
      'qazwsxedcrfvtgbyhnujmikolp111111',
      'MD5',
      '22D9B4E54AB1950F51E0649E8810ACD6',
    ],
    // w7corp/easywechat (5.x) tests/Payment/Notify/PaidTest.php and tests/MicroMerchant.
    [
      'HMAC-SHA256, easywechat',
      { foo: 'bar' },
      '88888888888888888888888888888888',
      'HMAC-SHA256',
      'A17558A18A547578818256FD52E74BB3EA9475E021F5F210809F2B7916C53B1D',
    ],
    // linjunpop/wechat_pay @ac28d27d test/wechat_pay/plug/payment_test.exs: a payment notification.
    [
      'MD5, notification',
      {
        appid: 'wx2421b1c4370ec43b',
        attach: '支付测试',
        bank_type: 'CFT',
        fee_type: 'CNY',
        is_subscribe: 'Y',
        mch_id: '10000100',
        nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
        openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
        out_trade_no: '1409811653',
        result_code: 'SUCCESS',
        return_code: 'SUCCESS',
        sub_mch_id: '10000100',
        time_end: '20140903131540',
        total_fee: '1',
        trade_type: 'JSAPI',
        transaction_id: '1004400740201409030005092168',
      },
      '192006250b4c09247ec02edce69f6a2d',
      'MD5',
      '594B6D97F089D24B55156CE09A5FF412',
    ],
    // Computed in Node and again in Python: names in byte order, zero kept, four-byte characters.
    [
      'MD5, byte order',
      {
        fee_2: 'b',
        fee_10: 'a',
        fee: '0',
        Fee: 'U',
        feE: 'm',
        fee_type: 't',
        feeX: 'x',
        fee0: 'd',
      },
      '0123456789abcdefghijklmnopqrstuv',
      'MD5',
      '35E9E6DCEF8781EC938D73EDB0693998',
    ],
    [
      'MD5, zero kept and empty left out',
      { a: '0', b: '', c: 'x' },
      '0123456789abcdefghijklmnopqrstuv',
      'MD5',
      '628DD29F2D5882CFC51104A885B1F5E2',
    ],
    [
      'HMAC-SHA256, emoji',
      { attach: '👍🏽 ok', nonce_str: 'n' },
      '0123456789abcdefghijklmnopqrstuv',
      'HMAC-SHA256',
      'D5C7286EF0D55B6267DBE645DA81272C517CE6235CE3FE014CA213BC6DDCA9EC',
    ],
  ] as const)('%s', (_, fields, key, signType, expected) => {
    expect(signFields(fields, key, signType)).toBe(expected);
  });
});

describe('XML from clients', () => {
  test.each([
    ['plain text', '<xml><a>1</a><b>x</b></xml>'],
    ['CDATA', '<xml><a><![CDATA[1]]></a><b><![CDATA[x]]></b></xml>'],
    ['root as root', '<root><a>1</a><b>x</b></root>'],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>1</a><b>x</b></xml>'],
    ['line breaks and blanks', '<xml>\n  <a>1</a>\r\n\t<b>x</b>\n</xml>\n'],
    ['attributes and comments', '<xml v="1"><!-- c --><a t="s">1</a><b>x</b></xml>'],
    ['numeric references', '<xml><a>&#49;</a><b>&#x78;</b></xml>'],
  ])('may be written with %s', (_, xml) => {
    expect(parseXml(xml)).toEqual({ a: '1', b: 'x' });
  });

  test('keeps references inside CDATA, and blanks too', () => {
    expect(parseXml('<xml><a><![CDATA[ &#20013;&amp; ]]></a></xml>')).toEqual({
      a: ' &#20013;&amp; ',
    });
  });

  test.each([
    ['an empty body', '', 'POST_DATA_EMPTY'],
    ['blanks', ' \n ', 'POST_DATA_EMPTY'],
    ['no XML', 'invalid-xml', 'XML_FORMAT_ERROR'],
    ['JSON', '{"a":1}', 'XML_FORMAT_ERROR'],
    ['an empty root', '<xml></xml>', 'XML_FORMAT_ERROR'],
    ['another root', '<html><a>1</a></html>', 'XML_FORMAT_ERROR'],
    ['a root that only begins like xml', '<xmlish><a>1</a></xmlish>', 'XML_FORMAT_ERROR'],
    ['an open element', '<xml><a>1</xml>', 'XML_FORMAT_ERROR'],
    ['crossed elements', '<xml><a>1</b></xml>', 'XML_FORMAT_ERROR'],
    ['text beside elements', '<xml>1<a>1</a></xml>', 'XML_FORMAT_ERROR'],
    ['a name twice', '<xml><a>1</a><a>2</a></xml>', 'XML_FORMAT_ERROR'],
    ['elements inside elements', '<xml><a><b>1</b></a></xml>', 'XML_FORMAT_ERROR'],
    ['a bare ampersand', '<xml><a>1&2</a></xml>', 'XML_FORMAT_ERROR'],
    ['an unknown entity', '<xml><a>&nbsp;</a></xml>', 'XML_FORMAT_ERROR'],
    ['a DOCTYPE', '<!DOCTYPE xml><xml><a>1</a></xml>', 'XML_FORMAT_ERROR'],
    ['a DOCTYPE inside', '<xml><a>1</a><!DOCTYPE x></xml>', 'XML_FORMAT_ERROR'],
    // wechatpay-apiv3/wechatpay-php tests/fixtures/invalid.xxe_injection.sample.xml
    [
      'an external entity',
      '<?xml version="1.0"?>\n<!DOCTYPE xml [<!ENTITY xxe SYSTEM "http://tst.qq.com/xxe">]>\n<xml><a>&xxe;</a></xml>',
      'XML_FORMAT_ERROR',
    ],
    ['a reserved name', '<xml><__proto__>1</__proto__></xml>', 'XML_FORMAT_ERROR'],
  ])('with %s is refused', (_, xml, code) => {
    expect(() => parseXml(xml)).toThrow(expect.objectContaining({ code }));
  });
});

test('a refusal says what is wrong', () => {
  expect(() => parseXml('<xml><a>1</a><a>2</a></xml>')).toThrow('a appears more than once');
  expect(() => parseXml('<!DOCTYPE x><xml><a>1</a></xml>')).toThrow('DOCTYPE');
  expect(() => parseXml('<xml><a><b>1</b></a></xml>')).toThrow('a has elements inside');
});

test('what the simulator writes is what another parser reads, whatever the values hold', async () => {
  const fields = { attach: 'a]]>b <c> & "d"', body: '茶👍🏽', total_fee: '1', empty: '' };
  expect(await tenpayUtil.parseXML(toXml(fields))).toEqual(fields);
});
