import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../../../lib/errors.ts';
import type { MerchantSecret } from '../../../../lib/secrets/merchant.ts';
import type { WechatRequest } from '../../../../lib/transport/transport.ts';
import { call } from '../../../../lib/wechatpay/v2/protocol/call.ts';
import type { SignType } from '../../../../lib/order/stored-request.ts';
import { APPID, MCHID } from '../../../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../../../support/secret-versions.ts';
import {
  API_V2_KEY,
  OTHER_KEY,
  signed,
  signV2,
  without,
  type WireFields,
  xmlOf,
} from '../../../support/v2-message.ts';
import { readIndependently } from '../../../support/v2-reader.ts';
import { neverRuns } from '../../../support/no-timer.ts';

const request = { appid: APPID, mch_id: MCHID, out_trade_no: 'order-0001' };

const answered: WireFields = {
  return_code: 'SUCCESS',
  return_msg: 'OK',
  appid: APPID,
  mch_id: MCHID,
  nonce_str: 'IITRi8Iabbblz1Jc',
  result_code: 'SUCCESS',
};

interface Setting {
  readonly body?: string;
  readonly statusCode?: number;
  readonly signType?: SignType;
  readonly merchant?: ReturnType<typeof merchantWith>[];
  readonly fields?: Readonly<Record<string, string>>;
  readonly fails?: Error;
  readonly repeatable?: boolean;
}

/** One call with a given answer, and the request that went out. */
function send({
  body = xmlOf(signed(answered)),
  statusCode = 200,
  signType = 'HMAC-SHA256',
  merchant = [merchantWith()],
  fields = request,
  fails,
  repeatable = true,
}: Setting = {}) {
  const sent: WechatRequest[] = [];
  const [current = merchantWith(), ...older] = merchant;
  const answer = call(
    {
      transport: async (outgoing) => {
        sent.push(outgoing);
        if (fails) {
          throw fails;
        }
        return { statusCode, headers: {}, body: Buffer.from(body) };
      },
      merchant: secretVersions(current, ...older),
      signType,
      nonce: () => 'nonce-of-the-test',
      nowMs: () => 0,
      startTimer: neverRuns,
    },
    '/pay/orderquery',
    fields,
    { timeoutMs: 1_234, repeatable },
  );
  return { answer, sent };
}

const sentFields = (sent: readonly WechatRequest[]) =>
  Object.fromEntries(readIndependently(sent[0]?.body ?? '') ?? []);

describe('a v2 call', () => {
  test('is the same bytes in whatever order its fields come', async () => {
    const bodies = [request, Object.fromEntries(Object.entries(request).toReversed())].map(
      (fields) => send({ fields }).sent,
    );
    await new Promise(setImmediate);
    const [first, second] = bodies.map(([sent]) => sent?.body);

    expect(first).toBe(second);
    expect([...(readIndependently(first ?? '')?.keys() ?? [])]).toEqual([
      'appid',
      'mch_id',
      'nonce_str',
      'out_trade_no',
      'sign_type',
      'sign',
    ]);
  });

  test('sends its fields, a nonce and the algorithm, signed with the current key', async () => {
    const { answer, sent } = send({ merchant: [merchantWith(), merchantWith(OTHER_KEY)] });
    await answer;
    const fields = { ...request, sign_type: 'HMAC-SHA256', nonce_str: 'nonce-of-the-test' };

    expect(sentFields(sent)).toEqual({ ...fields, sign: signV2(fields) });
    expect(sent).toMatchObject([
      {
        method: 'POST',
        path: '/pay/orderquery',
        contentType: 'text/xml; charset=utf-8',
        timeoutMs: 1_234,
        repeatable: true,
      },
    ]);
  });

  test.each([true, false])(
    'goes out twice only if its caller allows it: %j',
    async (repeatable) => {
      const { answer, sent } = send({ repeatable });
      await answer;

      expect(sent).toMatchObject([{ repeatable }]);
    },
  );

  test.each([
    ['MD5', 'HMAC-SHA256'],
    ['HMAC-SHA256', 'MD5'],
  ] as const)(
    'about an order made under %s stays with it when the deployment says %s',
    async (ordered, signType) => {
      const { answer, sent } = send({
        signType,
        fields: { ...request, sign_type: ordered },
        body: xmlOf(signed(answered, API_V2_KEY, ordered)),
      });

      await expect(answer).resolves.toMatchObject({ ok: true });
      const fields = { ...request, sign_type: ordered, nonce_str: 'nonce-of-the-test' };
      expect(sentFields(sent)).toEqual({ ...fields, sign: signV2(fields, API_V2_KEY, ordered) });
    },
  );

  test('whose stored algorithm is unknown uses that of the deployment', async () => {
    const { answer, sent } = send({ fields: { ...request, sign_type: 'RSA' } });
    await answer;

    expect(sentFields(sent)['sign_type']).toBe('HMAC-SHA256');
  });

  test('answers the fields of a verified success', async () => {
    const { answer } = send({ body: xmlOf(signed({ ...answered, prepay_id: 'wx01' })) });

    const { ok, ...rest } = await answer;

    expect(ok).toBe(true);
    expect(rest).toHaveProperty('fields', expect.objectContaining({ size: 8 }));
    expect((rest as { fields: Map<string, string> }).fields.get('prepay_id')).toBe('wx01');
  });

  test.each([
    ['with both', 'ORDERPAID', '该订单已支付'],
    ['without a text', 'ORDERCLOSED', ''],
    ['without a code', '', 'only a text'],
  ])('answers the code and text of a verified refusal %s', async (_, code, text) => {
    const { answer } = send({
      body: xmlOf(signed({ ...answered, result_code: 'FAIL', err_code: code, err_code_des: text })),
    });

    await expect(answer).resolves.toEqual({ ok: false, code, text });
  });

  test('answers a refusal that names neither code nor text', async () => {
    const { answer } = send({ body: xmlOf(signed({ ...answered, result_code: 'FAIL' })) });

    await expect(answer).resolves.toEqual({ ok: false, code: '', text: '' });
  });

  test('passes over a version of the secret that has no APIv2 key', async () => {
    const v3Only = { ...merchantWith(), apiV2Key: undefined };
    const { answer } = send({ merchant: [merchantWith(OTHER_KEY), v3Only, merchantWith()] });

    expect(await answer).toMatchObject({ ok: true });
  });

  test('takes an answer signed with an earlier key while the key is being changed', async () => {
    const { answer } = send({ merchant: [merchantWith(OTHER_KEY), merchantWith(API_V2_KEY)] });

    await expect(answer).resolves.toMatchObject({ ok: true });
  });

  test('about an order of another merchant is not sent', async () => {
    const { answer, sent } = send({ fields: { ...request, mch_id: '1900000110' } });

    await expect(answer).rejects.toMatchObject({
      name: ConfigError.name,
      message:
        'an order belongs to merchant 1900000110, but the secret is that of merchant 1900000109',
      parameters: { secret: 'merchant', field: 'mchid' },
    });
    expect(sent).toEqual([]);
  });

  test('about an order of the merchant before goes out under that one’s key', async () => {
    const before = merchantWith(OTHER_KEY);
    const now = merchantWith(API_V2_KEY, '1900000110');
    const { answer, sent } = send({
      merchant: [now, before],
      body: xmlOf(signed(answered, OTHER_KEY)),
    });

    await expect(answer).resolves.toMatchObject({ ok: true });
    const sentFields = Object.fromEntries(readIndependently(String(sent[0]?.body)) ?? []);
    expect(sentFields['sign']).toBe(signV2(without(sentFields, 'sign'), OTHER_KEY));
  });

  test('about an order of the merchant before takes no answer that the other one’s key signed', async () => {
    const { answer } = send({
      merchant: [merchantWith(API_V2_KEY, '1900000110'), merchantWith(OTHER_KEY)],
      body: xmlOf(signed(answered, API_V2_KEY)),
    });

    await expect(answer).rejects.toBeInstanceOf(WechatPaySignatureError);
  });

  test('passes a failure of the connection on as it is', async () => {
    const failure = new WechatPayTransportError('not-sent', 'the connection failed');

    await expect(send({ fails: failure }).answer).rejects.toBe(failure);
  });
});

describe('when WeChat refuses a v2 call without a signature', () => {
  interface SecondTry {
    readonly text?: string;
    /** What the machine's timers do while the secret is read afresh. */
    readonly startTimer?: typeof neverRuns;
    /** How long WeChat, and then Secrets Manager, takes. */
    readonly tookMs?: readonly [number, number];
    readonly second?: string;
  }

  /** A call with the old key; the secret that is read afresh is the second one. */
  function sendWith(reread: () => Promise<MerchantSecret>, options: SecondTry = {}) {
    const { text = '签名错误', startTimer = neverRuns, tookMs = [500, 0] } = options;
    const refusal = xmlOf({ return_code: 'FAIL', return_msg: text });
    const sent: WechatRequest[] = [];
    let nowMs = 0;
    let rereads = 0;
    let read = async () => merchantWith();
    const answer = call(
      {
        transport: async (outgoing) => {
          sent.push(outgoing);
          nowMs += tookMs[0];
          const second = options.second ?? xmlOf(signed(answered, OTHER_KEY));
          const body = sent.length === 1 ? refusal : second;
          return { statusCode: 200, headers: {}, body: Buffer.from(body) };
        },
        merchant: {
          current: () => read(),
          async *candidates() {
            yield await read();
            rereads += 1;
            nowMs += tookMs[1];
            read = reread;
            yield await read();
          },
        },
        signType: 'HMAC-SHA256',
        nonce: () => 'nonce-of-the-test',
        nowMs: () => nowMs,
        startTimer,
      },
      '/pay/orderquery',
      request,
      { timeoutMs: 1_234, repeatable: true },
    );
    return { answer, sent, rereads: () => rereads };
  }

  const theOwners = { code: 'CONFIG_ERROR', parameters: { field: 'apiV2Key' } };

  test.each(['签名错误', 'some words that nobody knows'])(
    'with "%s" and the key has changed, the request goes out again under the new one',
    async (text) => {
      const { answer, sent } = sendWith(async () => merchantWith(OTHER_KEY), { text });

      expect(await answer).toMatchObject({ ok: true });
      expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([1_234, 734]);
      const fields = sentFields(sent.slice(1));
      const unsigned = without(fields, 'sign');
      expect(fields['sign']).toBe(signV2(unsigned, OTHER_KEY));
    },
  );

  test('and the new key as well, there is no third request', async () => {
    const second = xmlOf({ return_code: 'FAIL', return_msg: '签名错误' });
    const { answer, sent } = sendWith(async () => merchantWith(OTHER_KEY), { second });

    await expect(answer).rejects.toMatchObject(theOwners);
    expect(sent).toHaveLength(2);
  });

  test.each<[string, () => Promise<MerchantSecret>, SecondTry]>([
    ['the key is the same', async () => merchantWith(), {}],
    ['the secret has no such key now', async () => ({ mchid: MCHID }), {}],
    ['the key is another merchant’s', async () => merchantWith(OTHER_KEY, '1900000110'), {}],
    ['the secret cannot be read', () => Promise.reject(new Error('unreadable')), {}],
    ['no time was left', async () => merchantWith(OTHER_KEY), { tookMs: [1_234, 0] }],
    ['the reading took the rest', async () => merchantWith(OTHER_KEY), { tookMs: [500, 734] }],
  ])('and %s, that is the answer', async (_, reread, options) => {
    const { answer, sent } = sendWith(reread, options);

    await expect(answer).rejects.toMatchObject(theOwners);
    expect(sent).toHaveLength(1);
  });

  test('and the secret is not read in what is left of the time, that is the answer', async () => {
    const delays: number[] = [];
    const { answer, sent } = sendWith(() => new Promise(() => undefined), {
      startTimer: (delayMs?: number, run?: () => void) => {
        delays.push(Number(delayMs));
        run?.();
        return () => undefined;
      },
    });

    await expect(answer).rejects.toMatchObject(theOwners);
    expect(sent).toHaveLength(1);
    expect(delays).toEqual([734]);
  });

  test.each(['系统繁忙', '频率限制', 'time_expire时间过短', '缺少参数openid', 'APPID不存在'])(
    'with "%s", no key is to blame: the secret is not read again',
    async (text) => {
      const { answer, sent, rereads } = sendWith(async () => merchantWith(OTHER_KEY), { text });

      await expect(answer).rejects.toThrow(text);
      expect(sent).toHaveLength(1);
      expect(rereads()).toBe(0);
    },
  );
});

test('a v2 answer that cannot be verified in time leaves open what happened', async () => {
  const answer = call(
    {
      transport: async () => ({
        statusCode: 200,
        headers: {},
        body: Buffer.from(xmlOf(signed(answered, OTHER_KEY))),
      }),
      merchant: {
        current: async () => merchantWith(),
        async *candidates() {
          yield merchantWith();
          await new Promise(() => undefined);
        },
      },
      signType: 'HMAC-SHA256',
      nonce: () => 'n',
      nowMs: () => 0,
      startTimer: (_delayMs, run) => {
        setTimeout(run, 5);
        return () => undefined;
      },
    },
    '/pay/orderquery',
    request,
    { timeoutMs: 1_234, repeatable: true },
  );

  await expect(answer).rejects.toMatchObject({ code: 'WECHAT_UNREACHABLE', outcome: 'unknown' });
});

describe('the answer to a v2 call is not believed', () => {
  test.each(['频率限制', '系统繁忙，请稍后再试', 'words that nobody knows', ''])(
    'when it says return_code FAIL with "%s": the outcome is unknown',
    async (text) => {
      const { answer } = send({ body: xmlOf({ return_code: 'FAIL', return_msg: text, x: '1' }) });

      await expect(answer).rejects.toThrow(new WechatPayServiceError('unknown', '', text));
      await expect(answer).rejects.toMatchObject({
        code: 'WECHAT_PAY_BUSY',
        outcome: 'unknown',
        retryable: true,
        wechatCode: '',
        wechatText: text,
        message: `WeChat Pay answered return_code FAIL: ${text}`,
      });
    },
  );

  test('when it says return_code FAIL and nothing else', async () => {
    await expect(
      send({ body: '<xml><return_code>FAIL</return_code></xml>' }).answer,
    ).rejects.toThrow(new WechatPayServiceError('unknown', '', ''));
  });

  test('when it says return_code FAIL beside a signed success', async () => {
    const body = xmlOf(signed({ ...answered, return_code: 'FAIL' }));

    await expect(send({ body }).answer).rejects.toMatchObject({ outcome: 'unknown' });
  });

  test.each(['SYSTEMERROR', 'BIZERR_NEED_RETRY', 'FREQUENCY_LIMITED', 'BANKERROR'])(
    'when its code is %s: the outcome is unknown',
    async (code) => {
      const body = xmlOf(
        signed({ ...answered, result_code: 'FAIL', err_code: code, err_code_des: '系统错误' }),
      );

      await expect(send({ body }).answer).rejects.toMatchObject({
        code: 'WECHAT_PAY_BUSY',
        outcome: 'unknown',
        retryable: true,
        wechatCode: code,
        wechatText: '系统错误',
      });
    },
  );

  test.each([
    ['it is not signed', xmlOf(answered), 'the message has no sign'],
    ['its sign is empty', xmlOf({ ...answered, sign: '' }), 'the message has no sign'],
    [
      'it says MD5 where HMAC-SHA256 was agreed',
      xmlOf(signed({ ...answered, sign_type: 'MD5' }, API_V2_KEY, 'MD5')),
      'sign is right under MD5, but this deployment takes HMAC-SHA256 only (WECHAT_PAY_SIGN_TYPE)',
    ],
    [
      'it is about another appid',
      xmlOf(signed({ ...answered, appid: 'wx9999999999999999' })),
      'the answer is about another appid',
    ],
    [
      'it is about another merchant',
      xmlOf(signed({ ...answered, mch_id: '1900000110' })),
      'the answer is about another mch_id',
    ],
    [
      'it is about a sub-merchant that the request does not name',
      xmlOf(signed({ ...answered, sub_mch_id: '1900000222' })),
      'the answer is about another sub_mch_id',
    ],
    [
      'it names no appid',
      xmlOf(signed(without(answered, 'appid'))),
      'the answer is about another appid',
    ],
  ])('when %s', async (_, body, reason) => {
    await expect(send({ body }).answer).rejects.toThrow(new WechatPaySignatureError(reason));
  });

  test.each([
    ['another', { sub_mch_id: '1900000333' }],
    ['no', {}],
  ])('when it is about %s sub-merchant', async (_, named) => {
    const { answer } = send({
      fields: { ...request, sub_mch_id: '1900000222' },
      body: xmlOf(signed({ ...answered, ...named })),
    });

    await expect(answer).rejects.toThrow(
      new WechatPaySignatureError('the answer is about another sub_mch_id'),
    );
  });

  test('but when it is about the sub-merchant of the request, it is', async () => {
    const subMerchant = { sub_mch_id: '1900000222' };
    const { answer } = send({
      fields: { ...request, ...subMerchant },
      body: xmlOf(signed({ ...answered, ...subMerchant })),
    });

    expect(await answer).toMatchObject({ ok: true });
  });

  test('when a refusal is not signed', async () => {
    const body = xmlOf({ ...answered, result_code: 'FAIL', err_code: 'ORDERPAID' });

    await expect(send({ body }).answer).rejects.toThrow(WechatPaySignatureError);
  });

  test('when somebody else’s key signed it', async () => {
    const body = xmlOf(signed(answered, OTHER_KEY));

    await expect(send({ body }).answer).rejects.toThrow(/^sign matches none of 1 APIv2 key/);
  });

  test.each([500, 502, 302, 404, 201, 0])(
    'when its status is %i, whatever the body: the outcome is unknown',
    async (statusCode) => {
      await expect(send({ statusCode }).answer).rejects.toThrow(
        new WechatPayTransportError('unknown', `HTTP status ${statusCode}`),
      );
    },
  );

  test.each([
    ['HTML', '<html><body>400 The SSL certificate error</body></html>'],
    ['empty', ''],
    ['JSON', '{"return_code":"SUCCESS"}'],
    ['XML of another kind', '<retcode>1</retcode>'],
  ])('when it is %s: the outcome is unknown', async (_, body) => {
    await expect(send({ body }).answer).rejects.toThrow(WechatPayMalformedMessageError);
    await expect(send({ body }).answer).rejects.toMatchObject({ outcome: 'unknown' });
  });
});
