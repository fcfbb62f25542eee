/** Opens the API versions. Each is a folder and one line here. */
import { ConfigError } from '../errors.ts';
import type { Config } from '../runtime/config.ts';
import { FIRST_MERCHANT } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { ApiVersion } from '../order/parties.ts';
import { once } from '../runtime/init.ts';
import type { MerchantSecret } from '../secrets/merchant.ts';
import type { VersionedSecret } from '../secrets/versioned-secret.ts';
import { createTransport, type Transport, type TransportMachine } from '../transport/transport.ts';
import type { OpenCertifiedTransport } from './v2/certified-transport.ts';
import {
  acknowledge as acknowledgeV2,
  openWechatPayV2,
  readNotification as readNotificationV2,
} from './v2/index.ts';
import {
  acknowledge as acknowledgeV3,
  openWechatPayV3,
  readNotification as readNotificationV3,
} from './v3/index.ts';
import type { StartTimer } from './newer-keys.ts';
import type {
  Acknowledgement,
  Notification,
  NotificationFailure,
  WechatPay,
} from './operations.ts';

export interface Connection {
  readonly transport: Transport;
  readonly openCertifiedTransport: OpenCertifiedTransport;
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly signType: Config['signType'];
  readonly nonce: () => string;
  readonly nowMs: () => number;
  readonly startTimer: StartTimer;
}

interface Version {
  readonly open: (connection: Connection) => WechatPay;
  readonly acknowledge: (failure?: NotificationFailure) => Acknowledgement;
  readonly readNotification: (content: string) => Notification;
}

const VERSIONS: Readonly<Record<ApiVersion, Version>> = {
  v2: {
    open: openWechatPayV2,
    acknowledge: acknowledgeV2,
    readNotification: readNotificationV2,
  },
  v3: {
    open: openWechatPayV3,
    acknowledge: acknowledgeV3,
    readNotification: readNotificationV3,
  },
};

/** Whose operations are meant: an order's, or what is known before there is one. */
export type WechatPayUse = Pick<Order, 'apiVersion' | 'merchantKey'>;

/** The operations that hold for an order, made at their first use: most functions need one version. */
export type WechatPayOf<Operation extends keyof WechatPay = keyof WechatPay> = (
  use: WechatPayUse,
) => Pick<WechatPay, Operation>;

/** An order or a notification of a merchant whom this deployment does not serve. */
export class UnknownMerchantError extends ConfigError {}

/** What the operations have from outside. */
export interface WechatPayMachine extends TransportMachine {
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Buffer;
  readonly startTimer: StartTimer;
}

/** What it takes to open either version. Does no I/O. */
export function connect(
  config: ConnectionConfig,
  merchant: VersionedSecret<MerchantSecret>,
  machine: WechatPayMachine,
): Connection {
  return {
    transport: createTransport(config.wechatPayBaseUrls, machine),
    openCertifiedTransport: (certificate) =>
      createTransport(config.certifiedBaseUrls, machine, {
        ...certificate,
        authority: config.certifiedAuthority,
      }),
    merchant,
    signType: config.signType,
    nonce: () => machine.randomBytes(16).toString('hex'),
    nowMs: machine.nowMs,
    startTimer: machine.startTimer,
  };
}

type ConnectionConfig = Pick<
  Config,
  'signType' | 'wechatPayBaseUrls' | 'certifiedBaseUrls' | 'certifiedAuthority'
>;

/**
 * Opens the one merchant that there is. Does no I/O until the first operation.
 *
 * @throws {UnknownMerchantError} at the use of another merchant's key: this one's keys are not for it.
 */
export function openWechatPay(
  config: ConnectionConfig,
  merchant: VersionedSecret<MerchantSecret>,
  machine: WechatPayMachine,
): WechatPayOf {
  const connection = once(() => connect(config, merchant, machine));
  const opened = new Map<ApiVersion, WechatPay>();
  return ({ apiVersion, merchantKey }) => {
    if (merchantKey !== FIRST_MERCHANT) {
      throw new UnknownMerchantError(`this deployment serves no merchant ${merchantKey}`);
    }
    const wechatPay = opened.get(apiVersion) ?? VERSIONS[apiVersion].open(connection());
    opened.set(apiVersion, wechatPay);
    return wechatPay;
  };
}

/** How to answer a notification, also when nothing could be opened: "received", or why not. */
export function acknowledgeNotification(
  apiVersion: ApiVersion,
  failure?: NotificationFailure,
): Acknowledgement {
  return VERSIONS[apiVersion].acknowledge(failure);
}

/**
 * What a kept message says, read by the code of now: it was verified when it came, so no key is needed.
 *
 * @param content of a `VerifiedMessage`.
 * @throws {WechatPayMalformedMessageError} when it says nothing that the version understands.
 */
export function readKeptNotification(apiVersion: ApiVersion, content: string): Notification {
  return VERSIONS[apiVersion].readNotification(content);
}
