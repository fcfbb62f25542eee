/** Settings of a function, read once from its environment and checked. */
import * as v from 'valibot';
import { ConfigError, type InvalidRequestError } from '../errors.ts';
import { orderOptions } from '../order/options-schema.ts';
import {
  MAX_LIFETIME_SECONDS,
  MIN_LIFETIME_SECONDS,
  type PaymentAfterClose,
} from '../order/order.ts';
import { assertOrderOptions, type OrderOptions } from '../order/options.ts';
import type { ApiVersion } from '../order/parties.ts';
import type { SignType } from '../order/stored-request.ts';
import { type Environment, integer, required } from './environment.ts';

export interface Config {
  readonly tableName: string;
  /**
   * What the numbers of orders made under an idempotency key depend on besides buyer and key. A
   * table that was restored under another name keeps the scope of the first.
   */
  readonly orderNumberScope: string;
  readonly miniProgramSecretId: string;
  readonly merchantSecretId: string;
  /** Base URL of this API without a trailing slash; WeChat sends notifications below it. */
  readonly publicBaseUrl: string;
  /** Version of WeChat's API for new orders; open ones keep theirs. */
  readonly apiVersion: ApiVersion;
  readonly signType: SignType;
  /** Base URLs of WeChat Pay, the primary first. */
  readonly wechatPayBaseUrls: readonly string[];
  /** Base URLs of the calls that show the merchant's certificate: the same, but in the stage local. */
  readonly certifiedBaseUrls: readonly string[];
  /** Who vouches for them, PEM, in the stage local; else and elsewhere whom the machine trusts. */
  readonly certifiedAuthority: string | undefined;
  /** Base URLs of the mini-program server API, the primary first. */
  readonly weixinBaseUrls: readonly string[];
  /** How long an order can be paid. */
  readonly orderLifetimeSeconds: number;
  readonly sessionLifetimeSeconds: number;
  /** What every order says to WeChat besides its content, unless its quote says otherwise. */
  readonly orderOptions: OrderOptions;
  /** What becomes of a payment for a closed order. */
  readonly paymentAfterClose: PaymentAfterClose;
  /** Whether virtual goods may be sold by ordinary payment, which WeChat forbids by default. */
  readonly allowVirtualGoods: boolean;
  /** How many orders a buyer may leave unpaid before the next; 0: as many as they like. */
  readonly openOrdersPerBuyer: number;
  /** For how many days the rows of an order stay once it has ended; nothing: for ever. */
  readonly orderRetentionDays: number | undefined;
}

const WECHAT_HOSTS = new Set([
  'api.mch.weixin.qq.com',
  'api2.mch.weixin.qq.com',
  'api.weixin.qq.com',
  'api2.weixin.qq.com',
  'sh.api.weixin.qq.com',
  'sz.api.weixin.qq.com',
  'hk.api.weixin.qq.com',
]);

/**
 * Reads the settings. Hosts other than WeChat's own are accepted only in the stage `local`, so
 * that no typing mistake sends signed orders, or the app secret, to somebody else.
 *
 * @throws {ConfigError} naming the variable, never its value.
 */
export function loadConfig(environment: Environment): Config {
  const stage = required(environment, 'STAGE');
  const isLocal = stage === 'local';
  const tableName = required(environment, 'TABLE_NAME');
  const wechatPayBaseUrls = baseUrls(environment, 'WECHAT_PAY_BASE_URLS', isLocal, [
    'https://api.mch.weixin.qq.com',
    'https://api2.mch.weixin.qq.com',
  ]);
  return {
    tableName,
    orderNumberScope: environment['ORDER_NUMBER_SCOPE'] || tableName,
    miniProgramSecretId: required(environment, 'MINI_PROGRAM_SECRET_ID'),
    merchantSecretId: required(environment, 'MERCHANT_SECRET_ID'),
    publicBaseUrl: publicBaseUrl(environment, isLocal),
    apiVersion: apiVersion(environment),
    signType: signType(environment),
    wechatPayBaseUrls,
    ...certifiedHosts(environment, isLocal, wechatPayBaseUrls),
    weixinBaseUrls: baseUrls(environment, 'WEIXIN_BASE_URLS', isLocal, [
      'https://api.weixin.qq.com',
      'https://api2.weixin.qq.com',
    ]),
    orderLifetimeSeconds: integer(
      environment,
      'ORDER_LIFETIME_SECONDS',
      1800,
      MIN_LIFETIME_SECONDS,
      MAX_LIFETIME_SECONDS,
    ),
    sessionLifetimeSeconds: integer(environment, 'SESSION_LIFETIME_SECONDS', 7200, 60, 604_800),
    orderOptions: readOrderOptions(environment),
    paymentAfterClose: paymentAfterClose(environment),
    allowVirtualGoods: flag(environment, 'ALLOW_VIRTUAL_GOODS'),
    openOrdersPerBuyer: integer(environment, 'OPEN_ORDERS_PER_BUYER', 0, 0, 50),
    orderRetentionDays: orderRetentionDays(environment),
  };
}

/** Refunds last a year from the payment, and what is done about them takes some days more. */
const MIN_RETENTION_DAYS = 400;

function orderRetentionDays(environment: Environment): number | undefined {
  const name = 'ORDER_RETENTION_DAYS';
  const days = integer(environment, name, 0, 0, 36_500);
  if (days > 0 && days < MIN_RETENTION_DAYS) {
    throw new ConfigError(`${name} must be 0, or ${MIN_RETENTION_DAYS} at least`);
  }
  return days === 0 ? undefined : days;
}

function apiVersion(environment: Environment): ApiVersion {
  const value = environment['WECHAT_PAY_API_VERSION'] || 'v2';
  if (value !== 'v2' && value !== 'v3') {
    throw new ConfigError('WECHAT_PAY_API_VERSION must be v2 or v3');
  }
  return value;
}

function readOrderOptions(environment: Environment): OrderOptions {
  const name = 'ORDER_OPTIONS';
  const text = environment[name];
  if (!text) {
    return {};
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), orderOptions), text);
  if (!parsed.success) {
    throw new ConfigError(`${name} is not usable: ${v.getDotPath(parsed.issues[0]) ?? 'not JSON'}`);
  }
  try {
    assertOrderOptions(name, parsed.output);
  } catch (error) {
    const { parameters } = error as InvalidRequestError;
    throw new ConfigError(`${name} is not usable: ${parameters['field']}`, error);
  }
  return parsed.output;
}

function signType(environment: Environment): SignType {
  const value = environment['WECHAT_PAY_SIGN_TYPE'] || 'HMAC-SHA256';
  if (value !== 'MD5' && value !== 'HMAC-SHA256') {
    throw new ConfigError('WECHAT_PAY_SIGN_TYPE must be HMAC-SHA256 or MD5');
  }
  return value;
}

function paymentAfterClose(environment: Environment): PaymentAfterClose {
  const value = environment['PAYMENT_AFTER_CLOSE'] || 'keep';
  if (value !== 'keep' && value !== 'refund') {
    throw new ConfigError('PAYMENT_AFTER_CLOSE must be keep or refund');
  }
  return value;
}

function flag(environment: Environment, name: string): boolean {
  const value = environment[name] || 'false';
  if (value !== 'true' && value !== 'false') {
    throw new ConfigError(`${name} must be true or false`);
  }
  return value === 'true';
}

function publicBaseUrl(environment: Environment, isLocal: boolean): string {
  const name = 'PUBLIC_BASE_URL';
  const url = parseUrl(name, required(environment, name));
  if (url.protocol !== 'https:' && !isLocal) {
    throw new ConfigError(`${name} must use https`);
  }
  if (url.search || url.hash) {
    throw new ConfigError(`${name} must not have a query or fragment`);
  }
  return url.href.replace(/\/+$/, '');
}

function baseUrls(
  environment: Environment,
  name: string,
  isLocal: boolean,
  fallback: readonly string[],
): readonly string[] {
  const text = environment[name];
  if (!text) {
    return fallback;
  }
  return text.split(',').map((part) => {
    const url = parseUrl(name, part.trim());
    const isWechat = url.protocol === 'https:' && url.port === '' && WECHAT_HOSTS.has(url.hostname);
    if (!isLocal && !isWechat) {
      throw new ConfigError(`${name} may name a host other than WeChat's only in the stage local`);
    }
    return url.origin;
  });
}

/** WeChat's own hosts need neither; the simulator has a port of its own for TLS, and an authority. */
function certifiedHosts(
  environment: Environment,
  isLocal: boolean,
  wechatPayBaseUrls: readonly string[],
): Pick<Config, 'certifiedBaseUrls' | 'certifiedAuthority'> {
  const name = 'WECHAT_PAY_CERTIFIED_BASE_URLS';
  return isLocal
    ? {
        certifiedBaseUrls: baseUrls(environment, name, isLocal, wechatPayBaseUrls),
        certifiedAuthority: environment['WECHAT_PAY_CERTIFIED_CA'] || undefined,
      }
    : { certifiedBaseUrls: wechatPayBaseUrls, certifiedAuthority: undefined };
}

function parseUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new ConfigError(`${name} is not a usable http or https URL`);
  }
  return url;
}
