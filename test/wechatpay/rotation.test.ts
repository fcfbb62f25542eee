/**
 * Keys change in the middle of a stream of messages, genuine and forged, over the real cache of
 * the secret: no genuine message may fail, no forged one pass.
 */
import { GetSecretValueCommand, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import { openSecret } from '../../lib/secrets/versioned-secret.ts';
import { openWechatPayV2 } from '../../lib/wechatpay/v2/index.ts';
import type { UnverifiedNotification, WechatPay } from '../../lib/wechatpay/operations.ts';
import { newCertifiedKey, newKeyPair } from '../support/rsa-keys.ts';
import { APPID, CREATED_AT, MCHID } from '../support/sample-orders.ts';
import { notificationXml } from '../support/v2-message.ts';
import { certificateList, type SentV3, v3Double } from '../support/v3-double.ts';
import {
  PUBLIC_KEY_ID,
  transaction,
  v3Merchant,
  v3Notification,
  type WechatSigner,
  wechatSigner,
} from '../support/v3-message.ts';
import { neverRuns } from '../support/no-timer.ts';
import { noRefunds } from '../support/no-refunds.ts';

const START = CREATED_AT * 1000;
const STEP_MS = 500;
const STEPS = 240;
/** How long a message may be on its way, in steps. */
const DELAY = 6;

const platform = [newCertifiedKey(START), newCertifiedKey(START)] as const;
const merchantKeys = [newCertifiedKey(START), newCertifiedKey(START)] as const;
const forgerKey = newKeyPair().privateKey;

const signerOf = ({ serialNo: serial, privateKey }: (typeof platform)[number]): WechatSigner => ({
  serial,
  privateKey,
});
const merchantPart = ({ serialNo, privateKey }: (typeof merchantKeys)[number]) => ({
  merchantSerialNo: serialNo,
  merchantPrivateKey: privateKey,
});

const clock = { nowMs: START };

/** WeChat's side, and the merchant's secret with its versions. */
const wechat = {
  apiV2Key: 'A'.repeat(32),
  apiV3Key: 'B'.repeat(32),
  signer: signerOf(platform[0]),
  certificates: [platform[0]] as (typeof platform)[number][],
  merchantKeys: new Map([[merchantKeys[0].serialNo, merchantKeys[0].publicKey]]),
};

let current: MerchantSecret = {
  ...v3Merchant({ wechatpayPublicKeyId: undefined, wechatpayPublicKey: undefined }),
  ...merchantPart(merchantKeys[0]),
  apiV2Key: wechat.apiV2Key,
  apiV3Key: wechat.apiV3Key,
};
let previous: MerchantSecret | undefined;
let secretReads = 0;

function putSecret(changes: Partial<MerchantSecret>): void {
  previous = current;
  current = { ...current, ...changes };
}

const merchant = openSecret<MerchantSecret>(
  {
    send: async (command: unknown) => {
      secretReads += 1;
      const { VersionStage } = (command as GetSecretValueCommand).input;
      const value = VersionStage === 'AWSCURRENT' ? current : previous;
      await Promise.resolve();
      if (!value) {
        throw new ResourceNotFoundException({ message: '', $metadata: {} });
      }
      return { SecretString: JSON.stringify(value) };
    },
  } as never,
  'merchant',
  v.custom<MerchantSecret>(() => true),
  { nowMs: () => clock.nowMs },
);

const certificateFetches: string[] = [];
const v3 = v3Double(
  ({ path }: SentV3) => {
    if (path !== '/v3/certificates') {
      return { json: transaction({ trade_state: 'NOTPAY' }) };
    }
    certificateFetches.push(path);
    return { json: certificateList(wechat.certificates, wechat.apiV3Key) };
  },
  {
    merchant,
    nowMs: () => clock.nowMs,
    merchantKeys: () => wechat.merchantKeys,
    signer: () => wechat.signer,
  },
).wechatPay;

const v2 = openWechatPayV2({
  openCertifiedTransport: noRefunds,
  transport: async () => {
    throw new Error('not asked');
  },
  merchant,
  signType: 'HMAC-SHA256',
  nonce: () => 'n',
  nowMs: () => clock.nowMs,
  startTimer: neverRuns,
});

interface Sent {
  readonly deliverAt: number;
  readonly by: WechatPay;
  readonly message: UnverifiedNotification;
}

const nowSeconds = () => Math.floor(clock.nowMs / 1000);

/** What WeChat sends at this moment; it may arrive steps later. */
function genuine(step: number): Sent[] {
  const stamp = { timestamp: nowSeconds(), signer: wechat.signer };
  const inPublicKey = { ...stamp, signer: wechatSigner };
  const hasPublicKey = current.wechatpayPublicKeyId !== undefined && step > PLAN.publicKey + 4;
  return [
    { by: v2, message: { headers: {}, body: Buffer.from(notificationXml({}, wechat.apiV2Key)) } },
    { by: v3, message: v3Notification({ ...stamp, key: wechat.apiV3Key }) },
    ...(hasPublicKey
      ? [{ by: v3, message: v3Notification({ ...inPublicKey, key: wechat.apiV3Key }) }]
      : []),
  ].map((sent, index) => ({ ...sent, deliverAt: step + ((step + index) % (DELAY + 1)) }));
}

/** What an attacker sends at this moment: under known and unknown serials, with old and no keys. */
function forged(step: number): Sent[] {
  const serials = [
    wechat.signer.serial,
    PUBLIC_KEY_ID,
    `PUB_KEY_ID_${step}`,
    (0xabcdef00 + step).toString(16).toUpperCase(),
  ];
  const serial = serials[step % serials.length] ?? '';
  const signer = { serial, privateKey: forgerKey };
  const known = v3Notification({ timestamp: nowSeconds(), signer: wechat.signer });
  return [
    { by: v2, message: { headers: {}, body: Buffer.from(notificationXml({}, 'Z'.repeat(32))) } },
    { by: v3, message: v3Notification({ timestamp: nowSeconds(), signer, key: wechat.apiV3Key }) },
    { by: v3, message: { ...known, body: Buffer.concat([known.body, Buffer.from('\n')]) } },
  ].map((sent) => ({ ...sent, deliverAt: step }));
}

/** Steps at which the merchant puts a new secret; WeChat follows four steps, two seconds, later. */
const PLAN = { v2: 40, v3: 80, certificate: 120, platform: 160, publicKey: 200 };

function rotate(step: number): void {
  switch (step) {
    case PLAN.v2:
      return putSecret({ apiV2Key: 'C'.repeat(32) });
    case PLAN.v2 + 4:
      wechat.apiV2Key = 'C'.repeat(32);
      return undefined;
    case PLAN.v3:
      return putSecret({ apiV3Key: 'D'.repeat(32) });
    case PLAN.v3 + 1:
      wechat.apiV3Key = 'D'.repeat(32);
      return undefined;
    case PLAN.certificate + 1:
      // WeChat takes several certificates of a merchant at a time.
      wechat.merchantKeys.set(merchantKeys[1].serialNo, merchantKeys[1].publicKey);
      return putSecret(merchantPart(merchantKeys[1]));
    // WeChat lists a successor five days before its first use; here it is 20 seconds.
    case PLAN.platform - 40:
      wechat.certificates = [...platform];
      return undefined;
    case PLAN.platform:
      wechat.signer = signerOf(platform[1]);
      return undefined;
    case PLAN.publicKey: {
      const { wechatpayPublicKeyId, wechatpayPublicKey } = v3Merchant();
      return putSecret({ wechatpayPublicKeyId, wechatpayPublicKey });
    }
    default:
      return undefined;
  }
}

test('every genuine message passes and no forged one, while every key changes', async () => {
  const order = { outTradeNo: 'order-0001', appid: APPID, mchid: MCHID };
  const onTheWay: Sent[] = [];
  const failed: unknown[] = [];
  const accepted: unknown[] = [];
  let passed = 0;
  let refused = 0;
  for (let step = 0; step < STEPS; step += 1) {
    rotate(step);
    onTheWay.push(...genuine(step));
    const due = onTheWay.filter(({ deliverAt }) => deliverAt <= step);
    onTheWay.splice(0, onTheWay.length, ...onTheWay.filter((one) => !due.includes(one)));
    await Promise.all([
      ...forged(step).map(async ({ by, message }) => {
        try {
          accepted.push(await by.parseNotification(message));
        } catch {
          refused += 1;
        }
      }),
      ...due.map(async ({ by, message }) => {
        try {
          await by.parseNotification(message);
          passed += 1;
        } catch (error) {
          failed.push([step, by === v2 ? 'v2' : 'v3', String(error)]);
        }
      }),
      // A request of ours, signed with whatever the cache holds, and its verified answer.
      v3.queryOrder(order, { timeoutMs: 1_000 }).catch((error) => failed.push([step, error])),
    ]);
    clock.nowMs += STEP_MS;
  }

  expect(failed).toEqual([]);
  expect(accepted).toEqual([]);
  expect(passed).toBeGreaterThan(STEPS * 2 - DELAY * 3);
  expect(refused).toBe(STEPS * 3);
  // Two minutes of forgeries: at most one pair of reads in two seconds, and a handful of fetches.
  expect(secretReads).toBeLessThan((STEPS * STEP_MS) / 1_000 + 20);
  expect(certificateFetches.length).toBeLessThanOrEqual(5 + (STEPS * STEP_MS) / 10_000);
});
