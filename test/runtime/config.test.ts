import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/runtime/config.ts';
import type { Environment } from '../../lib/runtime/environment.ts';
import { ConfigError } from '../../lib/errors.ts';

const deployed: Environment = {
  STAGE: 'production',
  TABLE_NAME: 'wechatpay-serverless-production',
  MINI_PROGRAM_SECRET_ID: 'wechatpay-serverless/production/mini-program',
  MERCHANT_SECRET_ID: 'wechatpay-serverless/production/merchant',
  PUBLIC_BASE_URL: 'https://pay.example.com',
};
const local: Environment = { ...deployed, STAGE: 'local' };

const reading = (environment: Environment) => () => loadConfig(environment);

describe('the settings', () => {
  test('have defaults for all but what names this deployment', () => {
    expect(loadConfig(deployed)).toEqual({
      tableName: 'wechatpay-serverless-production',
      orderNumberScope: 'wechatpay-serverless-production',
      miniProgramSecretId: 'wechatpay-serverless/production/mini-program',
      merchantSecretId: 'wechatpay-serverless/production/merchant',
      publicBaseUrl: 'https://pay.example.com',
      apiVersion: 'v2',
      signType: 'HMAC-SHA256',
      wechatPayBaseUrls: ['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com'],
      certifiedBaseUrls: ['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com'],
      certifiedAuthority: undefined,
      weixinBaseUrls: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'],
      orderLifetimeSeconds: 1800,
      sessionLifetimeSeconds: 7200,
      orderOptions: {},
      allowVirtualGoods: false,
      openOrdersPerBuyer: 0,
      orderRetentionDays: undefined,
      paymentAfterClose: 'keep',
    });
  });

  test('are read when they are given', () => {
    const config = loadConfig({
      ...deployed,
      WECHAT_PAY_API_VERSION: 'v3',
      ORDER_OPTIONS: '{"limitPay":"no_credit","storeInfo":{"id":"shop-1","name":"人民路店"}}',
      WECHAT_PAY_SIGN_TYPE: 'MD5',
      WECHAT_PAY_BASE_URLS: 'https://api2.mch.weixin.qq.com, https://api.mch.weixin.qq.com/',
      WEIXIN_BASE_URLS: 'https://sh.api.weixin.qq.com',
      ORDER_LIFETIME_SECONDS: '360',
      ORDER_NUMBER_SCOPE: 'the-table-before',
      ALLOW_VIRTUAL_GOODS: 'true',
      OPEN_ORDERS_PER_BUYER: '3',
      ORDER_RETENTION_DAYS: '400',
      PAYMENT_AFTER_CLOSE: 'refund',
      SESSION_LIFETIME_SECONDS: '604800',
    });

    expect(config).toMatchObject({
      apiVersion: 'v3',
      orderOptions: { limitPay: 'no_credit', storeInfo: { id: 'shop-1', name: '人民路店' } },
      signType: 'MD5',
      wechatPayBaseUrls: ['https://api2.mch.weixin.qq.com', 'https://api.mch.weixin.qq.com'],
      weixinBaseUrls: ['https://sh.api.weixin.qq.com'],
      orderLifetimeSeconds: 360,
      orderNumberScope: 'the-table-before',
      allowVirtualGoods: true,
      openOrdersPerBuyer: 3,
      orderRetentionDays: 400,
      paymentAfterClose: 'refund',
      sessionLifetimeSeconds: 604_800,
    });
  });

  test('that are empty count as not given', () => {
    const config = loadConfig({
      ...deployed,
      WECHAT_PAY_API_VERSION: '',
      ORDER_OPTIONS: '',
      WECHAT_PAY_SIGN_TYPE: '',
      WECHAT_PAY_BASE_URLS: '',
      ORDER_LIFETIME_SECONDS: '',
      ORDER_NUMBER_SCOPE: '',
      ALLOW_VIRTUAL_GOODS: '',
    });

    expect(config).toEqual(loadConfig(deployed));
  });

  test.each([
    'STAGE',
    'TABLE_NAME',
    'MINI_PROGRAM_SECRET_ID',
    'MERCHANT_SECRET_ID',
    'PUBLIC_BASE_URL',
  ])('are refused without %s, by its name', (name) => {
    const problem = new ConfigError(`the environment variable ${name} is not set`);

    expect(reading({ ...deployed, [name]: undefined })).toThrow(problem);
    expect(reading({ ...deployed, [name]: '' })).toThrow(problem);
  });

  test.each(['V3', 'v1', '3'])('refuse the API version "%s"', (value) => {
    expect(reading({ ...deployed, WECHAT_PAY_API_VERSION: value })).toThrow(
      new ConfigError('WECHAT_PAY_API_VERSION must be v2 or v3'),
    );
  });

  test.each([
    ['{"limitPay"', 'not JSON'],
    ['5', 'not JSON'],
    ['{"limitPay":"no_debit"}', 'limitPay'],
    ['{"profit_sharing":true}', 'profit_sharing'],
    ['{"storeInfo":{"name":"x"}}', 'storeInfo.id'],
    ['{"goodsTag":"拿铁😀"}', 'ORDER_OPTIONS.goodsTag'],
    ['{"deviceInfo":"012345678901234567890123456789012"}', 'ORDER_OPTIONS.deviceInfo'],
    ['{"storeInfo":{"id":"1","areaCode":"44"}}', 'ORDER_OPTIONS.storeInfo.areaCode'],
  ])('refuse the options %s, naming %s', (value, field) => {
    expect(reading({ ...deployed, ORDER_OPTIONS: value })).toThrow(
      new ConfigError(`ORDER_OPTIONS is not usable: ${field}`),
    );
  });

  test.each(['md5', 'RSA', 'HMAC', 'HMAC-SHA256 '])('refuse the algorithm "%s"', (value) => {
    expect(reading({ ...deployed, WECHAT_PAY_SIGN_TYPE: value })).toThrow(
      new ConfigError('WECHAT_PAY_SIGN_TYPE must be HMAC-SHA256 or MD5'),
    );
  });

  test.each(['359', '604801', '-1', '1e3', '1800.5', ' 1800', '0x708', 'long', '99999999999'])(
    'refuse an order lifetime of "%s"',
    (value) => {
      expect(reading({ ...deployed, ORDER_LIFETIME_SECONDS: value })).toThrow(
        new ConfigError('ORDER_LIFETIME_SECONDS must be a whole number from 360 to 604800'),
      );
    },
  );

  test('sell no virtual goods when that is said', () => {
    expect(loadConfig({ ...deployed, ALLOW_VIRTUAL_GOODS: 'false' }).allowVirtualGoods).toBe(false);
    expect(loadConfig({ ...deployed, PAYMENT_AFTER_CLOSE: '' }).paymentAfterClose).toBe('keep');
  });

  test.each(['True', 'yes', '1', 'true '])('refuse "%s" for virtual goods', (value) => {
    expect(reading({ ...deployed, ALLOW_VIRTUAL_GOODS: value })).toThrow(
      new ConfigError('ALLOW_VIRTUAL_GOODS must be true or false'),
    );
  });

  test.each(['Refund', 'true', 'none'])('refuse "%s" for a payment after the close', (value) => {
    expect(reading({ ...deployed, PAYMENT_AFTER_CLOSE: value })).toThrow(
      new ConfigError('PAYMENT_AFTER_CLOSE must be keep or refund'),
    );
  });

  test.each(['1', '365', '399'])('refuse to keep orders for %s days only', (value) => {
    expect(reading({ ...deployed, ORDER_RETENTION_DAYS: value })).toThrow(
      new ConfigError('ORDER_RETENTION_DAYS must be 0, or 400 at least'),
    );
  });

  test.each(['59', '604801'])('refuse a session lifetime of "%s"', (value) => {
    expect(reading({ ...deployed, SESSION_LIFETIME_SECONDS: value })).toThrow(
      new ConfigError('SESSION_LIFETIME_SECONDS must be a whole number from 60 to 604800'),
    );
  });
});

describe('the public base URL', () => {
  test.each([
    ['https://pay.example.com/', 'https://pay.example.com'],
    ['https://pay.example.com/shop//', 'https://pay.example.com/shop'],
    ['https://PAY.example.com:8443', 'https://pay.example.com:8443'],
  ])('%s is kept as %s', (given, kept) => {
    expect(loadConfig({ ...deployed, PUBLIC_BASE_URL: given }).publicBaseUrl).toBe(kept);
  });

  test('may use plain http in the stage local', () => {
    const environment = { ...local, PUBLIC_BASE_URL: 'http://127.0.0.1:3000' };

    expect(loadConfig(environment).publicBaseUrl).toBe('http://127.0.0.1:3000');
  });

  test.each([
    ['http://pay.example.com', 'PUBLIC_BASE_URL must use https'],
    ['https://pay.example.com/?a=1', 'PUBLIC_BASE_URL must not have a query or fragment'],
    ['https://pay.example.com/#a', 'PUBLIC_BASE_URL must not have a query or fragment'],
    ['pay.example.com', 'PUBLIC_BASE_URL is not a usable http or https URL'],
    ['ftp://pay.example.com', 'PUBLIC_BASE_URL is not a usable http or https URL'],
    ['https://me:s3cret@pay.example.com', 'PUBLIC_BASE_URL is not a usable http or https URL'],
    ['https://s3cret@pay.example.com', 'PUBLIC_BASE_URL is not a usable http or https URL'],
  ])('is refused as %s', (value, problem) => {
    expect(reading({ ...deployed, PUBLIC_BASE_URL: value })).toThrow(new ConfigError(problem));
  });
});

describe.each(['WECHAT_PAY_BASE_URLS', 'WEIXIN_BASE_URLS'])('%s', (name) => {
  const onlyWechat = new ConfigError(
    `${name} may name a host other than WeChat's only in the stage local`,
  );

  test.each([
    'https://api.example.com',
    'http://api.mch.weixin.qq.com',
    'https://api.mch.weixin.qq.com:8443',
    'https://api.mch.weixin.qq.com.example.com',
    'https://xapi.weixin.qq.com',
    'https://api.weixin.qq.com@example.com/x',
    'https://example.com/api.weixin.qq.com',
    'https://api.weixin.qq.com.',
    'https://127.0.0.1',
    'https://api.weixin.qq.com,https://api.example.com',
  ])('refuses %s in a deployment', (value) => {
    expect(reading({ ...deployed, [name]: value })).toThrow(
      value.includes('@')
        ? new ConfigError(`${name} is not a usable http or https URL`)
        : onlyWechat,
    );
  });

  test.each(['Local', 'local ', 'staging', 'locale'])(
    'knows no exception for stage "%s"',
    (stage) => {
      expect(reading({ ...deployed, STAGE: stage, [name]: 'http://127.0.0.1:3900' })).toThrow(
        onlyWechat,
      );
    },
  );

  test('takes any host in the stage local, without its path', () => {
    const config = loadConfig({ ...local, [name]: 'http://127.0.0.1:3900/pay' });

    expect([...config.wechatPayBaseUrls, ...config.weixinBaseUrls]).toContain(
      'http://127.0.0.1:3900',
    );
  });

  test.each(['not a url', ' ', ',', 'https://api.weixin.qq.com,', 'file:///etc/passwd'])(
    'refuses "%s" even there',
    (value) => {
      expect(reading({ ...local, [name]: value })).toThrow(
        new ConfigError(`${name} is not a usable http or https URL`),
      );
    },
  );
});

describe('the hosts that see the client certificate', () => {
  const simulator = {
    WECHAT_PAY_BASE_URLS: 'http://127.0.0.1:3900',
    WECHAT_PAY_CERTIFIED_BASE_URLS: 'https://127.0.0.1:3901',
    WECHAT_PAY_CERTIFIED_CA: '-----BEGIN CERTIFICATE-----',
  };

  test('may be others, with an authority of their own, in the stage local', () => {
    expect(loadConfig({ ...local, ...simulator })).toMatchObject({
      wechatPayBaseUrls: ['http://127.0.0.1:3900'],
      certifiedBaseUrls: ['https://127.0.0.1:3901'],
      certifiedAuthority: '-----BEGIN CERTIFICATE-----',
    });
  });

  test('are those of all calls when nothing else is said', () => {
    expect(loadConfig({ ...local, WECHAT_PAY_BASE_URLS: 'http://127.0.0.1:3900' })).toMatchObject({
      certifiedBaseUrls: ['http://127.0.0.1:3900'],
      certifiedAuthority: undefined,
    });
  });

  test('are WeChat’s, known to the machine, in every other stage', () => {
    const { WECHAT_PAY_BASE_URLS: _, ...certified } = simulator;

    expect(loadConfig({ ...deployed, ...certified })).toEqual(loadConfig(deployed));
  });
});
