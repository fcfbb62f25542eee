/** What a function opens of the machine it runs on. */
import { type BareMachine, bareMachine } from './machine.ts';
import { type Config, loadConfig } from './runtime/config.ts';
import type { SecretsClient } from './secrets/client.ts';
import { type MerchantSecret, openMerchantSecret } from './secrets/merchant.ts';
import { type MiniProgramSecret, openMiniProgramSecret } from './secrets/mini-program.ts';
import type { VersionedSecret } from './secrets/versioned-secret.ts';
import { openConnection, openTableClient, type Table } from './table/client.ts';
import { openWechatPay, type WechatPayOf } from './wechatpay/open.ts';

/** What a function has from outside; everything that differs between two runs comes through here. */
export interface Machine extends BareMachine {
  readonly openTableClient: (patience?: 'patient') => Table['client'];
}

/** The one that Lambda runs a function on. */
export const machine: Machine = { ...bareMachine, openTableClient };

/** What every function that handles orders works with, opened once per environment. */
export interface Resources {
  readonly config: Config;
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly table: Table;
  readonly wechatPay: WechatPayOf;
  readonly nowMs: () => number;
  readonly paymentAfterClose: Config['paymentAfterClose'];
  /** Where WeChat sends notifications. */
  readonly notifyBaseUrl: string;
}

/** What the functions that a buyer calls work with besides. */
export interface BuyerResources extends Resources {
  readonly miniProgram: VersionedSecret<MiniProgramSecret>;
}

/** @throws {ConfigError} naming the setting that is wrong. Does no I/O. */
export function openResources(machine: Machine): Resources {
  return open(machine, loadConfig(machine.environment), machine.openSecretsClient());
}

/** @throws {ConfigError} naming the setting that is wrong. Does no I/O. */
export function openBuyerResources(machine: Machine): BuyerResources {
  const config = loadConfig(machine.environment);
  const secrets = machine.openSecretsClient();
  return {
    ...open(machine, config, secrets),
    miniProgram: openMiniProgramSecret(secrets, config, machine.nowMs),
  };
}

function open(machine: Machine, config: Config, secrets: SecretsClient): Resources {
  const { nowMs, randomBytes, startTimer, openTableClient } = machine;
  const merchant = openMerchantSecret(secrets, config, nowMs);
  return {
    config,
    merchant,
    table: {
      client: openTableClient(),
      tableName: config.tableName,
      scope: config.orderNumberScope,
      retentionDays: config.orderRetentionDays,
      randomBytes,
      startTimer,
    },
    wechatPay: openWechatPay(config, merchant, machine),
    nowMs,
    paymentAfterClose: config.paymentAfterClose,
    notifyBaseUrl: config.publicBaseUrl,
  };
}

/** Keys and connections of a buyer's function, to be had before its first request. */
export const buyerFirstSteps = ({ miniProgram, merchant, table }: BuyerResources) => [
  miniProgram.current(),
  merchant.current(),
  openConnection(table, 'read'),
];
