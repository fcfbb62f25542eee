/** Opens the API versions. Each is a folder and one line here. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../runtime/config.ts';
import { ConfigError } from '../errors.ts';
import type { ApiVersion } from '../order/parties.ts';
import { once } from '../runtime/init.ts';
import type { MerchantSecret, VersionedSecret } from '../secrets/versioned-secret.ts';
import { createTransport, type Transport } from '../transport/transport.ts';
import { acknowledge as acknowledgeV2, openWechatPayV2 } from './v2/index.ts';
import { acknowledge as acknowledgeV3, openWechatPayV3 } from './v3/index.ts';
import type { Acknowledgement, WechatPay } from './operations.ts';

interface Connection {
  readonly transport: Transport;
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly signType: Config['signType'];
  readonly nonce: () => string;
  readonly nowMs: () => number;
}

interface Version {
  readonly open: (connection: Connection) => WechatPay;
  readonly acknowledge: WechatPay['acknowledge'];
}

const VERSIONS: Readonly<Partial<Record<ApiVersion, Version>>> = {
  v2: { open: openWechatPayV2, acknowledge: acknowledgeV2 },
  v3: { open: openWechatPayV3, acknowledge: acknowledgeV3 },
};

/** The operations of one version, made at their first use: most functions need only one. */
export type WechatPayOf<Operation extends keyof WechatPay = keyof WechatPay> = (
  apiVersion: ApiVersion,
) => Pick<WechatPay, Operation>;

export function openWechatPay(
  config: Pick<Config, 'signType' | 'wechatPayBaseUrls'>,
  merchant: VersionedSecret<MerchantSecret>,
): WechatPayOf {
  const connection = once(() => ({
    transport: createTransport(config.wechatPayBaseUrls),
    merchant,
    signType: config.signType,
    nonce: () => randomBytes(16).toString('hex'),
    nowMs: () => Date.now(),
  }));
  const opened = new Map<ApiVersion, WechatPay>();
  return (apiVersion) => {
    const wechatPay = opened.get(apiVersion) ?? versionOf(apiVersion).open(connection());
    opened.set(apiVersion, wechatPay);
    return wechatPay;
  };
}

/** How to answer a notification, also when nothing could be opened. */
export function acknowledgeNotification(
  apiVersion: ApiVersion,
  failure?: Parameters<WechatPay['acknowledge']>[0],
): Acknowledgement {
  return versionOf(apiVersion).acknowledge(failure);
}

function versionOf(apiVersion: ApiVersion): Version {
  const found = VERSIONS[apiVersion];
  if (!found) {
    throw new ConfigError(`this build does not have WeChat Pay API ${apiVersion}`);
  }
  return found;
}
