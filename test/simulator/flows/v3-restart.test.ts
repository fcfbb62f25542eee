/** What WeChat knows of API v3 is on disk: orders, keys, ramps, what is still to be notified. */
import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import { callV3, openResource, payV3, placeV3, queryV3, type Resource } from '../v3-support.ts';

let directory: string;
let dbPath: string;
let bench: Bench;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-v3-'));
  dbPath = join(directory, 'wechat.sqlite');
  bench = await startBench({ dbPath });
});
afterEach(async () => {
  await bench.stop();
  await rm(directory, { recursive: true });
});

test('a restart forgets no order, no key and no notification', async () => {
  bench.shop.answerWith((_, response) => {
    response.statusCode = 503;
    return '';
  });
  await payV3(bench, 'restarted');
  await bench.waitForAttempts('restarted', 1);
  const { apiV3Key } = (await bench.control('POST', '/merchant', { apiV3Key: true }))
    .body as unknown as { apiV3Key: string };
  const certificate = (await bench.control('POST', '/merchant', { merchantCertificate: true }))
    .body as unknown as { merchantSerialNo: string; merchantPrivateKey: string };
  await bench.control('DELETE', `/merchant/certificates/${bench.merchant.merchantSerialNo}`);
  await bench.control('POST', '/verification', { mode: 'certificate' });
  await bench.control('POST', '/platform-certificates', { share: 1 });
  const before = (await bench.control('GET', '/platform-certificates')).body;
  const order = await bench.book('restarted');
  await bench.stop();

  bench = await startBench({ dbPath });
  expect((await bench.control('GET', '/platform-certificates')).body).toEqual(before);
  expect(await bench.book('restarted')).toEqual(order);
  expect((await queryV3(bench, 'restarted')).status).toBe(401);
  const answer = await callV3(bench, 'GET', '/v3/certificates', undefined, {
    serialNo: certificate.merchantSerialNo,
    privateKey: certificate.merchantPrivateKey,
  });
  const [, successor] = answer.json['data'] as { encrypt_certificate: Resource }[];
  const pem = openResource(successor?.encrypt_certificate as Resource, apiV3Key);
  expect(pem).toContain('BEGIN CERTIFICATE');
  expect(answer.headers.get('wechatpay-serial')).not.toBe(bench.merchant.platformSerialNo);
});

test('a book from before API v3 is read', async () => {
  await bench.placeOrder('old-order');
  await bench.stop();
  const database = new DatabaseSync(dbPath);
  database.exec('ALTER TABLE orders DROP COLUMN names_public_key');
  database.exec('DROP TABLE refunds; DROP TABLE sub_openids;');
  database.close();
  bench = await startBench({ dbPath });
  expect((await queryV3(bench, 'old-order')).json).toMatchObject({ trade_state: 'NOTPAY' });
  expect((await placeV3(bench, 'new-order')).status).toBe(200);
});

test('a key that was changed in the merchant file counts again', async () => {
  await bench.control('POST', '/merchant', { apiV2Key: 'D'.repeat(32) });
  await bench.stop();
  const merchant = { ...bench.merchant, apiV2Key: 'E'.repeat(32) };
  bench = await startBench({ dbPath, merchant });
  await bench.stop();
  const again = await startBench({ dbPath });
  expect(await again.placeOrder('old-key')).toMatchObject({ return_msg: '签名错误' });
  bench = again;
});
