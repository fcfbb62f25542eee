import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WechatPaySignatureError } from '../../../../lib/errors.ts';
import type { SignType } from '../../../../lib/order/stored-request.ts';
import { sign, stringToSign, verifySign } from '../../../../lib/wechatpay/v2/protocol/sign.ts';
import { messageFields } from '../../../support/v2-arbitraries.ts';
import { API_V2_KEY, OTHER_KEY, paidFields, signV2, without } from '../../../support/v2-message.ts';

interface Vector {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly key: string;
  readonly sign_type: SignType;
  readonly string_to_sign: string;
  readonly expected_sign: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/v2.json', import.meta.url), 'utf8'),
) as Record<'sign' | 'pay_sign' | 'self_generated', Vector[]>;

const known = [
  ...vectors.sign,
  ...vectors.pay_sign,
  ...vectors.self_generated.filter((vector) => 'expected_sign' in vector),
];

describe('the v2 signature of a known message', () => {
  test.each(known)('$id is digested as published', (vector) => {
    const fields = Object.entries(vector.params);

    expect(stringToSign(fields, vector.key)).toBe(vector.string_to_sign);
    expect(sign(fields, vector.key, vector.sign_type)).toBe(vector.expected_sign);
  });

  test('keeps blanks at the ends of a value, unlike SDKs that trim', () => {
    const fields = [
      ['a', ' x '],
      ['b', 'y'],
    ] as const;

    expect(sign(fields, API_V2_KEY, 'MD5')).toBe('2C44FCDB00C1016B0EAB5E8D1F32A7D4');
  });

  test('is the documented one', () => {
    const fields = {
      appid: 'wxd930ea5d5a258f4f',
      mch_id: '10000100',
      device_info: '1000',
      body: 'test',
      nonce_str: 'ibuaiVcKdpRxkhJA',
    };
    const key = '192006250b4c09247ec02edce69f6a2d';

    expect(sign(Object.entries(fields), key, 'MD5')).toBe('9A0A8659F005D6984697E2CA0A9CF3B7');
    expect(sign(Object.entries(fields), key, 'HMAC-SHA256')).toBe(
      '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6',
    );
  });
});

describe('the v2 signature of any fields', () => {
  test('is what another implementation computes', () => {
    fc.assert(
      fc.property(
        messageFields,
        fc.stringMatching(/^[0-9A-Za-z]{32}$/),
        fc.constantFrom('MD5', 'HMAC-SHA256'),
        (fields, key, signType) => {
          // A message of nothing but empty fields does not exist; the rule is silent about it.
          fc.pre([...fields].some(([name, value]) => name !== 'sign' && value !== ''));

          expect(sign(fields, key, signType)).toBe(
            signV2(Object.fromEntries(fields), key, signType),
          );
        },
      ),
    );
  });

  test('does not depend on the order of the fields', () => {
    fc.assert(
      fc.property(messageFields, (fields) => {
        const reversed = [...fields].toReversed();

        expect(sign(reversed, API_V2_KEY, 'HMAC-SHA256')).toBe(
          sign(fields, API_V2_KEY, 'HMAC-SHA256'),
        );
      }),
    );
  });

  test('is the digest of the joined fields with the key at the end', () => {
    const text = `a=1&b=2&key=${API_V2_KEY}`;
    const fields = [
      ['b', '2'],
      ['empty', ''],
      ['sign', 'ABC'],
      ['a', '1'],
    ] as const;

    expect(sign(fields, API_V2_KEY, 'MD5')).toBe(
      createHash('md5').update(text).digest('hex').toUpperCase(),
    );
    expect(sign(fields, API_V2_KEY, 'HMAC-SHA256')).toBe(
      createHmac('sha256', API_V2_KEY).update(text).digest('hex').toUpperCase(),
    );
  });
});

const genuine = new Map(
  Object.entries({ ...paidFields(), sign: signV2(paidFields()) }),
) as ReadonlyMap<string, string>;

function altered(change: (fields: Map<string, string>) => void): ReadonlyMap<string, string> {
  const fields = new Map(genuine);
  change(fields);
  return fields;
}

const verify = (
  fields: ReadonlyMap<string, string>,
  keys: AsyncIterable<string> | Iterable<string> = [API_V2_KEY],
  signType: SignType = 'HMAC-SHA256',
) => verifySign(fields, keys, signType);

/** The reason that the operator reads; fails when the message was accepted. */
async function refusal(...args: Parameters<typeof verify>): Promise<string> {
  const error = await verify(...args).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof WechatPaySignatureError)) {
    throw new Error('the message was accepted');
  }
  expect(error).toMatchObject({ code: 'SIGNATURE_INVALID', outcome: 'unknown', retryable: false });
  expect(error.message).not.toContain(API_V2_KEY);
  expect(error.message).not.toContain(OTHER_KEY);
  expect(error.message).not.toContain('key=');
  expect(error.message).not.toContain(fieldsOf(args[0]));
  return error.message;
}

const fieldsOf = (fields: ReadonlyMap<string, string>) => fields.get('openid') ?? 'no openid';

const NO_MATCH = /^sign matches none of 1 APIv2 key version\(s\): the message was altered/;

describe('a v2 message is accepted', () => {
  test('when the agreed algorithm and the current key made its sign', async () => {
    await expect(verify(genuine)).resolves.toBeUndefined();
  });

  test('under MD5 when the deployment agreed on MD5', async () => {
    const fields = altered((copy) => copy.set('sign', signV2(paidFields(), API_V2_KEY, 'MD5')));

    await expect(verify(fields, [API_V2_KEY], 'MD5')).resolves.toBeUndefined();
  });

  test('with or without sign_type as a field, as long as it was signed so', async () => {
    const claim = { sign_type: 'HMAC-SHA256' };
    const fields = new Map(
      Object.entries({ ...paidFields(claim), sign: signV2(paidFields(claim)) }),
    );

    await expect(verify(fields)).resolves.toBeUndefined();
  });

  test('with empty fields that the sender left out of the digest', async () => {
    const fields = altered((copy) => copy.set('attach', '').set('device_info', ''));

    await expect(verify(fields)).resolves.toBeUndefined();
  });

  test('with a key of an earlier version', async () => {
    await expect(verify(genuine, [OTHER_KEY, API_V2_KEY])).resolves.toBeUndefined();
  });

  test('by the first key without asking for another', async () => {
    let asked = 0;
    async function* keys() {
      asked += 1;
      yield API_V2_KEY;
      asked += 1;
      yield OTHER_KEY;
    }

    await verify(genuine, keys());

    expect(asked).toBe(1);
  });
});

describe('a v2 message is refused', () => {
  test.each([
    ['total_fee', '1'],
    ['out_trade_no', 'order-0002'],
    ['openid', 'oSomebodyElse'],
    ['mch_id', '1900000110'],
    ['transaction_id', '4200000001202603010000000002'],
    ['result_code', 'FAIL'],
    ['nonce_str', ''],
    ['cash_fee', '2800 '],
  ])('when %s was altered to "%s"', async (name, value) => {
    expect(await refusal(altered((copy) => copy.set(name, value)))).toMatch(NO_MATCH);
  });

  test.each(['coupon_fee', 'Total_fee', 'zzz', 'attach'])('when %s was added', async (name) => {
    expect(await refusal(altered((copy) => copy.set(name, '1')))).toMatch(NO_MATCH);
  });

  test.each(Object.keys(paidFields()))('when %s was removed', async (name) => {
    expect(await refusal(altered((copy) => copy.delete(name)))).toMatch(NO_MATCH);
  });

  test('when a value moved to another name', async () => {
    const fields = altered((copy) => copy.set('bank_type', 'N').set('is_subscribe', 'OTHERS'));

    expect(await refusal(fields)).toMatch(NO_MATCH);
  });

  test('when another key signed it', async () => {
    expect(await refusal(genuine, [OTHER_KEY])).toBe(
      "sign matches none of 1 APIv2 key version(s): the message was altered, or the secret's apiV2Key is not the key set in the merchant console",
    );
  });

  test('when no version of the key signed it, saying how many there are', async () => {
    expect(await refusal(genuine, [OTHER_KEY, OTHER_KEY.toUpperCase()])).toMatch(
      /^sign matches none of 2 APIv2 key version/,
    );
  });

  test.each([
    ['missing', (copy: Map<string, string>) => copy.delete('sign')],
    ['empty', (copy: Map<string, string>) => copy.set('sign', '')],
  ])('when its sign is %s', async (_, change) => {
    expect(await refusal(altered(change))).toBe('the message has no sign');
  });

  test('when it was signed with MD5 and says so itself', async () => {
    const claim = paidFields({ sign_type: 'MD5' });
    const fields = new Map(Object.entries({ ...claim, sign: signV2(claim, API_V2_KEY, 'MD5') }));

    expect(await refusal(fields)).toBe(
      'sign is right under MD5, but this deployment takes HMAC-SHA256 only (WECHAT_PAY_SIGN_TYPE)',
    );
  });

  test('when it was signed with HMAC-SHA256 and the deployment agreed on MD5', async () => {
    expect(await refusal(genuine, [API_V2_KEY], 'MD5')).toBe(
      'sign is right under HMAC-SHA256, but this deployment takes MD5 only (WECHAT_PAY_SIGN_TYPE)',
    );
  });

  test('when its sign is right but in lower case', async () => {
    const fields = altered((copy) => copy.set('sign', signV2(paidFields()).toLowerCase()));

    expect(await refusal(fields)).toBe(
      'sign is right but in lower case; WeChat Pay sends upper case',
    );
  });

  test.each([
    ['half of it', signV2(paidFields()).slice(0, 32)],
    ['32 digits of nothing', '0'.repeat(32)],
    ['a digit too many', `${signV2(paidFields())}0`],
    ['blanks around it', ` ${signV2(paidFields())} `],
    ['no hex', 'G'.repeat(64)],
    ['a character of three bytes', '签'.repeat(64)],
  ])('when its sign is %s', async (_, value) => {
    expect(await refusal(altered((copy) => copy.set('sign', value)))).toBe(
      'sign is not 64 upper-case hex digits, as HMAC-SHA256 gives',
    );
  });

  test('when its sign has 64 digits and the deployment agreed on MD5', async () => {
    expect(await refusal(genuine, [OTHER_KEY], 'MD5')).toBe(
      'sign is not 32 upper-case hex digits, as MD5 gives',
    );
  });

  test('when any one digit of its sign differs', async () => {
    const right = signV2(paidFields());
    for (let at = 0; at < right.length; at += 1) {
      const wrong = `${right.slice(0, at)}${right[at] === '0' ? '1' : '0'}${right.slice(at + 1)}`;

      expect(await refusal(altered((copy) => copy.set('sign', wrong)))).toMatch(NO_MATCH);
    }
  });

  test('whatever is altered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(without(paidFields(), 'return_code'))),
        fc.string({ minLength: 1 }),
        async (name, value) => {
          fc.pre(genuine.get(name) !== value);

          await expect(verify(altered((copy) => copy.set(name, value)))).rejects.toThrow(
            WechatPaySignatureError,
          );
        },
      ),
    );
  });
});
