import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Hash, Transformer } from 'wechatpay-axios-plugin';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { inParallel, logInCrowd } from '../support/crowd.ts';
import { newKeyPair } from '../support/rsa-keys.ts';
import { type LoadResult, startForger, startLoad } from '../support/running-load.ts';
import { logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';
import { transaction, v3Notification } from '../support/v3-message.ts';
import { beijingNow } from '../support/beijing-now.ts';

const CONCURRENCY = 16;
/** Payments between one step of a rotation and the next. */
const STEP = 25;
/** After this, no function has a secret that it read before. */
const SECRET_CACHE_SECONDS = 301;
/** Refused messages make notify read its secret again at most every 2 s. */
const SECRET_REFRESH_MS = 3_000;

let stack: Stack;
let dynamoDb: DynamoDBClient;
let merchantConsole: StackConsole;

async function start(apiVersion: 'v2' | 'v3') {
  vi.resetModules();
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
    seed: 'rotation',
    apiVersion,
  });
  dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
  merchantConsole = openConsole(stack);
}

async function stop() {
  merchantConsole.close();
  dynamoDb.destroy();
  await stack.stop();
}

interface Victim {
  readonly outTradeNo: string;
  readonly openid: string;
}

/** An open order that everything in a forged message fits to, except the key. */
async function orderVictim(): Promise<Victim> {
  const victim = await logIn(stack, 'victim');
  const { outTradeNo } = (await victim.prepay({ items: [{ sku: 'latte', quantity: 1 }] })).body;
  const { openid } = await merchantConsole.booked(outTradeNo);
  return { outTradeNo, openid };
}

async function post(path: string, body: string | Buffer, headers: Record<string, string>) {
  const response = await fetch(`${stack.apiUrl}${path}`, { method: 'POST', body, headers });
  await response.text();
  return response.status;
}

/**
 * Lets WeChat repeat what was refused, closes what nobody paid, and compares every order. Answers
 * how the attempts at notifications ended.
 */
async function settleAndCompare({ paid, abandoned }: LoadResult, victim: string) {
  await stack.advanceClock(61);
  await stack.invoke('reconcile');
  await stack.advanceClock(1801);
  await stack.invoke('reconcile');
  expect(await stack.invoke('reconcile')).toMatchObject({ failed: 0, mismatched: 0, due: 0 });

  const orders = [...paid, ...abandoned, victim];
  const attempts: string[] = [];
  await inParallel(orders.length, CONCURRENCY, async (index) => {
    const outTradeNo = orders[index] ?? '';
    const state = paid.has(outTradeNo) ? 'SUCCESS' : 'CLOSED';
    const booked = await merchantConsole.booked(outTradeNo);
    const table = { client: dynamoDb, tableName: stack.tableName };
    const order = await readOrder(table, orderId(outTradeNo));
    expect([booked.tradeState, order?.tradeState]).toEqual([state, state]);
    expect(order?.transactionId ?? null).toBe(booked.transactionId);
    expect(booked.notifications.map((one) => one.state)).toEqual(
      paid.has(outTradeNo) ? ['acknowledged'] : [],
    );
    for (const one of booked.notifications) {
      attempts.push(...one.attempts.map(({ outcome }) => outcome));
    }
  });
  return attempts;
}

describe('while buyers pay by API v2 and a forger tries', () => {
  beforeAll(() => start('v2'));
  afterAll(stop);

  /**
   * Pays while `rotate` changes the key; answers every attempt at a genuine notification, and how
   * `prepay` refused: the client keeps its key and its order and repeats both.
   */
  async function payDuring(rotate: (apiV2Key: string) => Promise<void>) {
    const victim = await orderVictim();
    const forger = startForger((index) => {
      const xml = forgeV2(victim, index % 2 === 0 ? 'HMAC-SHA256' : 'MD5');
      return post('/notify/v2/payment', xml, { 'content-type': 'text/xml' });
    });
    const load = startLoad(await logInCrowd(stack, CONCURRENCY));
    await load.more(STEP);
    await rotate(randomBytes(16).toString('hex'));
    await load.more(2 * STEP);

    const result = await load.stop();
    const statuses = await forger.stop();
    expect([...statuses.keys()]).toEqual([401]);
    expect(statuses.get(401)).toBeGreaterThan(10);
    const attempts = await settleAndCompare(result, victim.outTradeNo);
    return { paid: result.paid.size, attempts, refusals: result.errors };
  }

  const MAY_PASS = ['WECHAT_PAY_BUSY', 'SIGNATURE_INVALID', 'PHONE'];

  test('the APIv2 key changes, first in the secret: no genuine notification is refused', async () => {
    const { paid, attempts, refusals } = await payDuring(async (apiV2Key) => {
      await merchantConsole.putSecret({ apiV2Key });
      await delay(SECRET_REFRESH_MS);
      await merchantConsole.control('merchant', { apiV2Key });
    });

    expect(attempts).toEqual(Array.from({ length: paid }, () => 'acknowledged'));
    expect(MAY_PASS).toEqual(expect.arrayContaining([...refusals]));
  }, 60_000);

  test('the APIv2 key changes, first in the console: WeChat repeats what is refused', async () => {
    const { paid, attempts, refusals } = await payDuring(async (apiV2Key) => {
      await merchantConsole.control('merchant', { apiV2Key });
      await merchantConsole.putSecret({ apiV2Key });
    });

    expect(attempts.filter((outcome) => outcome === 'acknowledged')).toHaveLength(paid);
    // Until the secret has the new key, its owner is the one who can mend it.
    expect([...MAY_PASS, 'CONFIG_ERROR']).toEqual(expect.arrayContaining([...refusals]));
  }, 60_000);
});

/** Everything fits to the order, except the key. */
function forgeV2(victim: Victim, signType: 'HMAC-SHA256' | 'MD5'): string {
  const message = {
    appid: stack.merchant.appid,
    bank_type: 'CFT',
    cash_fee: '2800',
    fee_type: 'CNY',
    mch_id: stack.merchant.mchid,
    nonce_str: randomBytes(16).toString('hex'),
    openid: victim.openid,
    out_trade_no: victim.outTradeNo,
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    time_end: beijingNow(),
    total_fee: '2800',
    trade_type: 'JSAPI',
    transaction_id: '4200000000202601010000000000',
  };
  return Transformer.toXml({ ...message, sign: Hash.sign(signType, message, 'x'.repeat(32)) });
}

describe('while buyers pay by API v3 and a forger tries', () => {
  beforeAll(() => start('v3'));
  afterAll(stop);

  test('every key changes, one after the other, and no payment is lost', async () => {
    const { control, putSecret } = merchantConsole;
    const { wechatpayPublicKeyId, wechatpayPublicKey } = stack.merchant;
    await putSecret({ wechatpayPublicKeyId: undefined, wechatpayPublicKey: undefined });
    await control('verification', { mode: 'certificate' });
    await stack.advanceClock(SECRET_CACHE_SECONDS);
    const victim = await orderVictim();
    const madeUp = newKeyPair();
    const serials = [
      () => stack.merchant.platformSerialNo,
      () => wechatpayPublicKeyId,
      () => randomBytes(20).toString('hex').toUpperCase(),
    ];
    const forger = startForger((index) => {
      const serial = serials[index % serials.length]?.() ?? '';
      const { headers, body } = v3Notification({
        timestamp: Math.floor(Date.now() / 1000),
        nonce: randomBytes(16).toString('hex'),
        signer: { serial, privateKey: madeUp.privateKey },
        key: stack.merchant.apiV3Key,
        content: transaction({
          appid: stack.merchant.appid,
          mchid: stack.merchant.mchid,
          out_trade_no: victim.outTradeNo,
          payer: { openid: victim.openid },
          success_time: new Date().toISOString(),
        }),
      });
      return post('/notify/v3', body, headers);
    });
    const load = startLoad(await logInCrowd(stack, CONCURRENCY));
    const outliveCaches = () => load.pausedFor(() => stack.advanceClock(SECRET_CACHE_SECONDS));
    await load.more(STEP);

    // The APIv3 key: first the secret, then the console.
    const apiV3Key = randomBytes(16).toString('hex');
    await putSecret({ apiV3Key });
    await load.more(STEP);
    await control('merchant', { apiV3Key });
    await load.more(STEP);

    // The merchant's certificate: both are good until the old one is revoked.
    const certificate = await control<{
      merchantSerialNo: string;
      merchantPrivateKey: string;
      merchantCertificate: string;
    }>('merchant', { merchantCertificate: true });
    await putSecret(certificate);
    await load.more(STEP);
    await outliveCaches();
    await control(`merchant/certificates/${stack.merchant.merchantSerialNo}`, undefined, 'DELETE');
    await load.more(STEP);

    // The platform certificate: issued, then used now and then, then always, then alone.
    for (const share of [0, 0.3, 1]) {
      await control('platform-certificates', { share });
      await load.more(STEP);
    }
    await control(`platform-certificates/${stack.merchant.platformSerialNo}`, undefined, 'DELETE');
    await load.more(STEP);

    // From certificates to WeChat Pay's public key.
    await putSecret({ wechatpayPublicKeyId, wechatpayPublicKey });
    await load.more(STEP);
    await outliveCaches();
    for (const notificationShare of [0.1, 0.5, 1]) {
      await control('verification', { mode: 'switching', notificationShare });
      await load.more(STEP);
    }
    await control('verification', { mode: 'public-key' });
    await load.more(STEP);

    const result = await load.stop();
    const statuses = await forger.stop();
    expect([...statuses.keys()]).toEqual([401]);
    expect(statuses.get(401)).toBeGreaterThan(30);
    expect([...result.errors]).toEqual([]);
    await settleAndCompare(result, victim.outTradeNo);
  }, 60_000);
});
