/** Opens the API version that a deployment uses. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { MerchantSecret, VersionedSecret } from '../secrets.ts';
import { createTransport } from './transport.ts';
import { openWechatPayV2 } from './v2/index.ts';
import type { WechatPay } from './wechatpay.ts';

export function openWechatPay(
  config: Pick<Config, 'signType' | 'wechatPayBaseUrls'>,
  merchant: VersionedSecret<MerchantSecret>,
): WechatPay {
  return openWechatPayV2({
    transport: createTransport(config.wechatPayBaseUrls),
    merchant,
    signType: config.signType,
    nonce: () => randomBytes(16).toString('hex'),
    nowMs: Date.now,
  });
}
