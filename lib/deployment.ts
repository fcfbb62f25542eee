/** What every function that handles orders works with, opened once per environment. */
import { type Config, loadConfig } from './runtime/config.ts';
import {
  type MerchantSecret,
  openMerchantSecret,
  type VersionedSecret,
} from './secrets/versioned-secret.ts';
import { openTable, type Table } from './table/client.ts';
import { openWechatPay, type WechatPayOf } from './wechatpay/open.ts';

export interface Resources {
  readonly config: Config;
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly table: Table;
  readonly wechatPay: WechatPayOf;
  readonly nowMs: () => number;
}

/** @throws {ConfigError} naming the setting that is wrong. Does no I/O. */
export function openResources(): Resources {
  const config = loadConfig(process.env);
  const merchant = openMerchantSecret(config);
  return {
    config,
    merchant,
    table: openTable(config.tableName),
    wechatPay: openWechatPay(config, merchant),
    nowMs: Date.now,
  };
}
