/** Forged, altered and replayed messages of API v3, delivered as the gateway hands them over. */
import { beforeEach, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop } from '../support/notified-shop.ts';
import { newKeyPair } from '../support/rsa-keys.ts';
import { CREATED_AT } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { v3Double } from '../support/v3-double.ts';
import {
  PUBLIC_KEY_ID,
  transaction,
  v3Merchant,
  v3Message,
  v3Notification,
  v3Resource,
} from '../support/v3-message.ts';

const emptyTable = useEmbeddedTables();
const forger = { serial: PUBLIC_KEY_ID, privateKey: newKeyPair().privateKey };

let shop: Awaited<ReturnType<typeof openNotifiedShop>>;
let certificateFetches = 0;

beforeEach(async () => {
  certificateFetches = 0;
  const { wechatPay } = v3Double(
    () => {
      certificateFetches += 1;
      return { status: 404, json: { code: 'RESOURCE_NOT_EXISTS', message: '' } };
    },
    { merchant: secretVersions(v3Merchant()) },
  );
  shop = await openNotifiedShop(await emptyTable(), {
    order: { apiVersion: 'v3' },
    v3: wechatPay,
  });
});

type Message = ReturnType<typeof v3Notification>;
const genuine = v3Notification();
const body = genuine.body.toString();

const withHeaders = (changes: Readonly<Record<string, string | undefined>>): Message =>
  ({ ...genuine, headers: { ...genuine.headers, ...changes } }) as Message;
const withBody = (text: string): Message => ({ ...genuine, body: Buffer.from(text) });
const flipLast = (base64: string) => `${base64.slice(0, -4)}AAAA`;

test.each<[string, Message]>([
  ['no signature', withHeaders({ 'Wechatpay-Signature': undefined })],
  ['no serial', withHeaders({ 'Wechatpay-Serial': undefined })],
  ['a signature of somebody else', v3Notification({ signer: forger })],
  ['another serial', withHeaders({ 'Wechatpay-Serial': 'PUB_KEY_ID_1' })],
  ['a serial of no certificate', withHeaders({ 'Wechatpay-Serial': '4F'.repeat(20) })],
  ['two serials', withHeaders({ 'Wechatpay-Serial': `${PUBLIC_KEY_ID},PUB_KEY_ID_1` })],
  ['two headers of one name', withHeaders({ 'wechatpay-nonce': 'another' })],
  ['a time of six minutes ago', v3Notification({ timestamp: CREATED_AT - 360 })],
  ['a time six minutes ahead', v3Notification({ timestamp: CREATED_AT + 360 })],
  ['the smallest i64 as its time', v3Notification({ timestamp: '-9223372036854775808' })],
  ['the largest i64 as its time', v3Notification({ timestamp: '9223372036854775807' })],
  ['another nonce', withHeaders({ 'Wechatpay-Nonce': 'another' })],
  ['one more space', withBody(`${body} `)],
  ['its end cut off', withBody(body.slice(0, -2))],
  ['nothing in it', withBody('')],
  ['a changed event', withBody(body.replace('TRANSACTION', 'TRANSACTI0N'))],
  [
    'a changed tag',
    withBody(
      body.replace(
        /"ciphertext":"([^"]+)"/,
        (_, text: string) => `"ciphertext":"${flipLast(text)}"`,
      ),
    ),
  ],
])('a message with %s is refused and changes nothing', async (_, message) => {
  const { statusCode, returned } = await shop.deliver(
    message.body.toString(),
    message.headers,
    false,
    '/notify/v3',
  );

  expect({ statusCode, returned }).toEqual({
    statusCode: 401,
    returned: { code: 'FAIL', message: 'SIGNATURE_INVALID' },
  });
  expect(shop.operations).toEqual([]);
  expect(shop.log.counts).toEqual({ NotificationRefused: 1, SignatureRejected: 1 });
});

test('a message that is not base64 as the gateway says is refused', async () => {
  const { statusCode } = await shop.deliver(body, genuine.headers, true, '/notify/v3');

  expect(statusCode).toBe(401);
});

test('a replay within five minutes is a duplicate: acknowledged, and nothing changes', async () => {
  const deliver = () => shop.deliver(body, genuine.headers, false, '/notify/v3');
  await deliver();
  const paid = await shop.row();
  const again = await deliver();

  expect(again.statusCode).toBe(200);
  expect(await shop.row()).toEqual(paid);
  expect(shop.log.counts).toEqual({ NotificationRepeated: 1, OrderPaid: 1 });
});

test('a message that WeChat signed around a tampered tag is not decrypted', async () => {
  const resource = v3Resource(JSON.stringify(transaction()));
  const tampered = { ...resource, ciphertext: flipLast(resource.ciphertext) };
  const message = v3Message(
    JSON.stringify({ event_type: 'TRANSACTION.SUCCESS', resource: tampered }),
  );
  const { statusCode } = await shop.deliver(
    message.body.toString(),
    message.headers,
    false,
    '/notify/v3',
  );

  expect(statusCode).toBe(500);
  expect(shop.operations).toEqual([]);
});

test('a thousand made-up serial numbers make us ask WeChat five times', async () => {
  for (let index = 0; index < 1_000; index += 1) {
    const serial = (0xabc00000 + index).toString(16).toUpperCase();
    const { headers } = withHeaders({ 'Wechatpay-Serial': serial });
    await shop.deliver(body, headers, false, '/notify/v3');
  }

  expect(certificateFetches).toBe(5);
});

test('a v3 message to the path of v2 is not one of v2', async () => {
  const { statusCode } = await shop.deliver(body, genuine.headers);

  expect(statusCode).toBe(400);
  expect(shop.operations).toEqual([]);
});
