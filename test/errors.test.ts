import { describe, expect, test } from 'vitest';
import { ERROR_TEXTS, errorText, type PublicErrorCode } from '../lib/http/error-texts.ts';
import { PROBLEMS_IN_CHINESE } from '../lib/http/problem-texts.ts';
import {
  ConfigError,
  InvalidRequestError,
  LoginError,
  OrderConflictError,
  OrderNotFoundError,
  ServiceError,
  TemporarilyUnavailableError,
  UnauthenticatedError,
  WechatPayMalformedMessageError,
  WechatPayNotReadyError,
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../lib/errors.ts';
import { MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS } from '../lib/order/order.ts';
import { listProjectFiles, readProjectFile } from './repo/project.ts';

const codes = Object.keys(ERROR_TEXTS) as PublicErrorCode[];
const placeholders = (text: string) => new Set(text.match(/\{\w+\}/g));

describe('the text of an error', () => {
  test.each(codes)('%s is there in both languages and names the same values in both', (code) => {
    const { en, zh } = ERROR_TEXTS[code];

    expect(en).toMatch(/^[A-Z{][\x20-\x7e]+\.$/);
    expect(zh).toMatch(/\p{Script=Han}.*。$/u);
    expect(placeholders(zh)).toEqual(placeholders(en));
  });

  test.each(codes.filter((code) => ERROR_TEXTS[code].status >= 500))(
    '%s (500 and above) names no value, so nothing from the inside can be in it',
    (code) => {
      expect(placeholders(ERROR_TEXTS[code].en).size).toBe(0);
    },
  );

  test('has its values filled in', () => {
    const values = { field: 'totalFen', min: 1, max: 100 };

    expect(errorText('AMOUNT_INVALID', 'en', values)).toBe(
      'totalFen must be a whole number of fen from 1 to 100.',
    );
    expect(errorText('AMOUNT_INVALID', 'zh-CN', values)).toBe(
      'totalFen 必须是以分为单位的整数，范围 1 到 100。',
    );
  });

  test('fills a value in as it is, whatever it looks like', () => {
    expect(errorText('PRODUCT_NOT_FOUND', 'en', { sku: '$& {max}' })).toBe(
      'There is no product $& {max} for sale.',
    );
  });

  test('leaves a missing value out', () => {
    expect(errorText('PRODUCT_NOT_FOUND', 'en', {})).toBe('There is no product  for sale.');
  });
});

describe('what is wrong with a field or a quote', () => {
  const problems = Object.entries(PROBLEMS_IN_CHINESE);

  test.each(problems)('"%s" has a Chinese text that names the same values', (english, chinese) => {
    expect(chinese).toMatch(/\p{Script=Han}/u);
    // Names of fields, units and algorithms are all that is left of English.
    expect(chinese.replaceAll(/\{\w+\}/g, '')).not.toMatch(/[A-Za-z]+ [a-z]/);
    expect(placeholders(chinese)).toEqual(placeholders(english));
  });

  test('is said with its values, in the language of the whole text', () => {
    const many = { field: 'items', problem: 'at most {max} items', max: 50 };
    const claim = { problem: 'claim {claim} is unknown', claim: 'openId' };

    expect(errorText('INVALID_REQUEST', 'en', many)).toBe('Invalid items: at most 50 items.');
    expect(errorText('INVALID_REQUEST', 'zh-CN', many)).toBe('参数 items 无效：最多 50 项。');
    expect(errorText('QUOTE_INVALID', 'zh-CN', claim)).toBe('报价无效：未知字段 openId。');
  });

  test('is never English inside a Chinese text', () => {
    const unknown = { field: 'a', problem: 'not in the {max} table', max: 1 };

    expect(errorText('INVALID_REQUEST', 'zh-CN', unknown)).toBe('参数 a 无效：不符合要求。');
    expect(errorText('INVALID_REQUEST', 'en', unknown)).toBe('Invalid a: not in the {max} table.');
  });

  test('is in English in the log', () => {
    const error = new InvalidRequestError('INVALID_REQUEST', {
      field: 'items',
      problem: 'at most {max} items',
      max: 50,
    });

    expect(error.message).toBe('INVALID_REQUEST (field=items, max=50, problem=at most 50 items)');
  });

  test('is one of them wherever it is written down', () => {
    const written = listProjectFiles('lib/**/*.ts', 'functions/*.ts').flatMap((path) =>
      [...readProjectFile(path).matchAll(/\bproblem: '([^']+)'/g)].map(([, text]) => text ?? ''),
    );

    expect(written).toContain('6 digits');
    expect(written.filter((text) => !(text in PROBLEMS_IN_CHINESE))).toEqual([]);
    expect(PROBLEMS_IN_CHINESE).toHaveProperty([
      `whole seconds from ${MIN_LIFETIME_SECONDS} to ${MAX_LIFETIME_SECONDS}`,
    ]);
  });
});

describe('the HTTP status', () => {
  test.each<[number, PublicErrorCode[]]>([
    [
      400,
      [
        'INVALID_JSON',
        'INVALID_REQUEST',
        'AMOUNT_INVALID',
        'QUOTE_INVALID',
        'LOGIN_CODE_INVALID',
        'LOGIN_CODE_USED',
      ],
    ],
    [401, ['UNAUTHENTICATED', 'TOKEN_EXPIRED']],
    [
      403,
      ['BUYER_ACCOUNT_REFUSED', 'LOGIN_USER_BLOCKED', 'QUOTE_FOR_OTHER_BUYER', 'CALLER_UNKNOWN'],
    ],
    [404, ['ORDER_NOT_FOUND', 'PRODUCT_NOT_FOUND', 'REFUND_NOT_FOUND']],
    [409, ['PRICE_CHANGED', 'ORDER_ALREADY_PAID', 'ORDER_CLOSED', 'ORDER_EXPIRED', 'ORDER_EXISTS']],
    [
      409,
      [
        'ORDER_NOT_PAID',
        'REFUND_EXCEEDS_PAYMENT',
        'REFUND_NUMBER_TAKEN',
        'REFUND_LIMIT_REACHED',
        'REFUND_EXPIRED',
        'REFUND_NOT_ABNORMAL',
        'REFUND_END_NOT_OFFERED',
        'REFUND_END_DECIDED',
        'REFUND_END_REFUSED',
      ],
    ],
    [413, ['BODY_TOO_LARGE']],
    [422, ['IDEMPOTENCY_KEY_REUSED']],
    [429, ['TOO_MANY_OPEN_ORDERS', 'LOGIN_TOO_OFTEN']],
    [500, ['CONFIG_ERROR', 'INTERNAL_ERROR']],
    [502, ['WECHAT_PAY_REFUSED', 'SIGNATURE_INVALID', 'MALFORMED_MESSAGE']],
    [503, ['TEMPORARILY_UNAVAILABLE', 'WECHAT_UNREACHABLE', 'WECHAT_PAY_BUSY', 'WEIXIN_BUSY']],
  ])('is %i for %j', (status, expected) => {
    expect(expected.map((code) => ERROR_TEXTS[code].status)).toEqual(expected.map(() => status));
  });
});

test('whoever is to repeat a request is told when, and nobody else is', () => {
  for (const code of codes) {
    const { status, retryAfterSeconds } = ERROR_TEXTS[code];

    expect([code, retryAfterSeconds !== undefined]).toEqual([
      code,
      status === 503 || status === 429,
    ]);
  }
});

describe('every error', () => {
  test.each<[ServiceError, string, string, boolean]>([
    [new InvalidRequestError('INVALID_JSON'), 'InvalidRequestError', 'INVALID_JSON', false],
    [new UnauthenticatedError(), 'UnauthenticatedError', 'UNAUTHENTICATED', false],
    [new UnauthenticatedError('TOKEN_EXPIRED'), 'UnauthenticatedError', 'TOKEN_EXPIRED', false],
    [new OrderNotFoundError(), 'OrderNotFoundError', 'ORDER_NOT_FOUND', false],
    [new OrderConflictError('ORDER_CLOSED'), 'OrderConflictError', 'ORDER_CLOSED', false],
    [new LoginError('LOGIN_CODE_USED', 'r'), 'LoginError', 'LOGIN_CODE_USED', false],
    [new LoginError('LOGIN_TOO_OFTEN', 'r'), 'LoginError', 'LOGIN_TOO_OFTEN', true],
    [new LoginError('WEIXIN_BUSY', 'r'), 'LoginError', 'WEIXIN_BUSY', true],
    [
      new WechatPayTransportError('not-sent', 'r'),
      'WechatPayTransportError',
      'WECHAT_UNREACHABLE',
      true,
    ],
    [
      new WechatPayServiceError('unknown', '', 't'),
      'WechatPayServiceError',
      'WECHAT_PAY_BUSY',
      true,
    ],
    [
      new WechatPayServiceError('rejected', 'c', 't'),
      'WechatPayServiceError',
      'WECHAT_PAY_REFUSED',
      false,
    ],
    [new WechatPaySignatureError('r'), 'WechatPaySignatureError', 'SIGNATURE_INVALID', false],
    [
      new WechatPayMalformedMessageError('r'),
      'WechatPayMalformedMessageError',
      'MALFORMED_MESSAGE',
      false,
    ],
    [new WechatPayNotReadyError('r'), 'WechatPayNotReadyError', 'WECHAT_PAY_BUSY', true],
    [
      new TemporarilyUnavailableError('r'),
      'TemporarilyUnavailableError',
      'TEMPORARILY_UNAVAILABLE',
      true,
    ],
    [new ConfigError('r'), 'ConfigError', 'CONFIG_ERROR', false],
  ])('has a name, a code and whether to repeat: %s', (error, name, code, retryable) => {
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ name, code, retryable });
  });

  test('carries the values that its text names', () => {
    expect(new InvalidRequestError('TEXT_TOO_LONG', { field: 'a', maxBytes: 1 })).toMatchObject({
      parameters: { field: 'a', maxBytes: 1 },
      message: 'TEXT_TOO_LONG (field=a, maxBytes=1)',
    });
    expect(new OrderConflictError('ORDER_CLOSED', { outTradeNo: 'o' }).parameters).toEqual({
      outTradeNo: 'o',
    });
  });

  test('keeps its cause', () => {
    const cause = new Error('why');

    expect(new ConfigError('r', cause).cause).toBe(cause);
    expect(new InvalidRequestError('INVALID_JSON', undefined, cause).cause).toBe(cause);
  });
});
