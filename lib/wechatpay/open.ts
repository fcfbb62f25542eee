/** Opens the API versions. Each is a folder and one line here. */
import type { Config } from '../runtime/config.ts';
import { ConfigError } from '../errors.ts';
import type { ApiVersion } from '../order/parties.ts';
import { once } from '../runtime/init.ts';
import type { MerchantSecret } from '../secrets/merchant.ts';
import type { VersionedSecret } from '../secrets/versioned-secret.ts';
import { createTransport, type Transport, type TransportMachine } from '../transport/transport.ts';
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

/** What the operations have from outside. */
export interface WechatPayMachine extends TransportMachine {
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Buffer;
}

/** Does no I/O until the first operation. */
export function openWechatPay(
  config: Pick<Config, 'signType' | 'wechatPayBaseUrls'>,
  merchant: VersionedSecret<MerchantSecret>,
  machine: WechatPayMachine,
): WechatPayOf {
  const connection = once(() => ({
    transport: createTransport(config.wechatPayBaseUrls, machine),
    merchant,
    signType: config.signType,
    nonce: () => machine.randomBytes(16).toString('hex'),
    nowMs: machine.nowMs,
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
