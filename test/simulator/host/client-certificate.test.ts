/** The TLS port: the merchant's client certificate as WeChat asks for it, seen from outside with node:https. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCertifiedKey, createTlsCredentials } from '../../../simulator/book/certificate.ts';
import { createMerchant } from '../../../simulator/create-merchant.ts';
import { machine } from '../../../simulator/surroundings/machine.ts';
import { type Bench, sign, startBench, tenpayUtil } from '../support.ts';

interface Shown {
  readonly cert?: string;
  readonly key?: string;
}

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ tlsPort: 0 });
  await bench.placeOrder('over-tls');
  await bench.control('POST', '/orders/over-tls/pay');
});
afterAll(async () => bench.stop());

const tlsOf = () => bench.simulator.tls ?? { url: '', backupUrl: '', authority: '' };
const own = (): Shown => ({
  cert: bench.merchant.merchantCertificate,
  key: bench.merchant.merchantPrivateKey,
});

interface Answered {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

async function post(url: string, body: string, shown: Shown, agent?: https.Agent) {
  return new Promise<Answered>((resolve, reject) => {
    const options = { method: 'POST', ca: tlsOf().authority, agent: agent ?? false, ...shown };
    const request = https.request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          type: response.headers['content-type'],
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

function xmlOf(given: Record<string, string>): string {
  const { appid, mchid, apiV2Key } = bench.merchant;
  const fields = { appid, mch_id: mchid, nonce_str: 'n1', ...given };
  return tenpayUtil.buildXML({ ...fields, sign: sign(fields, apiV2Key) });
}

const refundXml = () =>
  xmlOf({
    out_trade_no: 'over-tls',
    out_refund_no: 'over-tls-R1',
    total_fee: '2800',
    refund_fee: '2800',
  });
const refund = async (shown: Shown) => post(`${tlsOf().url}/secapi/pay/refund`, refundXml(), shown);
const query = async (shown: Shown) =>
  post(`${tlsOf().url}/pay/orderquery`, xmlOf({ out_trade_no: 'over-tls' }), shown);
const lastMessage = async () => {
  const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
    messages: { path: string; note?: string; request: { body: string } }[];
  };
  return messages.at(-1);
};

/** Made six years ago, or by an authority that has nothing to do with WeChat Pay. */
async function badCertificates(): Promise<Record<'expired' | 'foreign', Shown>> {
  const sixYearsMs = 6 * 365 * 24 * 3600 * 1000;
  const old = { ...machine, nowMs: () => Date.now() - sixYearsMs };
  const expired = await createCertifiedKey(bench.merchant.mchid, old);
  const foreign = await createTlsCredentials(machine);
  return {
    expired: { cert: expired.pem, key: expired.privateKey },
    foreign: { cert: foreign.certificate, key: foreign.privateKey },
  };
}

describe('over TLS', () => {
  test('a refund without a certificate is an HTML page with 400, and nothing is refunded', async () => {
    const { status, type, text } = await refund({});
    expect([status, type]).toEqual([400, 'text/html']);
    expect(text).toContain('<center>No required SSL certificate was sent</center>');
    expect(await bench.book('over-tls')).toMatchObject({ tradeState: 'SUCCESS' });
    expect(await lastMessage()).toMatchObject({
      path: '/secapi/pay/refund',
      note: expect.stringContaining('no client certificate was shown') as string,
      request: { body: refundXml() },
    });
  });

  test.each(['expired', 'foreign'] as const)(
    'a certificate that is %s is an HTML page with 400 at every address of WeChat Pay',
    async (kind) => {
      const shown = (await badCertificates())[kind];
      const answers = [
        await refund(shown),
        await query(shown),
        await post(`${tlsOf().url}/v3/pay/transactions/jsapi`, '{}', shown),
      ];
      for (const { status, text } of answers) {
        expect(status).toBe(400);
        expect(text).toContain('<center>The SSL certificate error</center>');
      }
    },
  );

  test('a revoked certificate is one that nobody takes any more', async () => {
    const { body } = await bench.control('POST', '/merchant', { merchantCertificate: true });
    const [cert, key] = [body['merchantCertificate'], body['merchantPrivateKey']].map(String);
    const shown = { cert: cert ?? '', key: key ?? '' };
    expect((await query(shown)).status).toBe(200);
    await bench.control('DELETE', `/merchant/certificates/${body['merchantSerialNo']}`);
    expect((await query(shown)).text).toContain('The SSL certificate error');
  });

  test('the certificate of another merchant does not match, and harms no other call', async () => {
    const { merchant } = await createMerchant();
    const shown = { cert: merchant.merchantCertificate, key: merchant.merchantPrivateKey };
    const { status, text } = await refund(shown);
    expect([status, await tenpayUtil.parseXML(text)]).toEqual([
      200,
      { return_code: 'FAIL', return_msg: 'certificate not match' },
    ]);
    expect((await query(shown)).text).toContain('SUCCESS');
  });

  test('other calls need none; the backup host asks alike', async () => {
    expect((await query({})).text).toContain('<trade_state><![CDATA[SUCCESS]]></trade_state>');
    const atBackup = await post(`${tlsOf().backupUrl}/secapi/pay/refund`, refundXml(), {});
    expect(atBackup.status).toBe(400);
  });

  test("the merchant's own certificate refunds, also on a resumed session", async () => {
    const agent = new https.Agent({ keepAlive: false, maxCachedSessions: 10 });
    const url = `${tlsOf().url}/secapi/pay/refund`;
    const first = await post(url, refundXml(), own(), agent);
    const second = await post(url, refundXml(), own(), agent);
    expect(first.text).toContain('<result_code><![CDATA[SUCCESS]]></result_code>');
    expect(second.text).toContain('<result_code><![CDATA[SUCCESS]]></result_code>');
    expect(await lastMessage()).toMatchObject({ request: { body: refundXml() } });
    expect((await lastMessage())?.note).toBeUndefined();
    agent.destroy();
  });

  test('the server is known by its own authority under each name of this machine', async () => {
    const { authority, url } = tlsOf();
    expect(new X509Certificate(authority).ca).toBe(true);
    const names = ['localhost', '127.0.0.1'];
    for (const host of names) {
      const socket = connect({ host, port: Number(new URL(url).port), ca: authority });
      await new Promise<void>((resolve, reject) => {
        socket.once('secureConnect', resolve);
        socket.once('error', reject);
      });
      expect(socket.authorized).toBe(true);
      socket.destroy();
    }
    await expect(
      post(url, '', {}, new https.Agent({ ca: bench.merchant.platformCertificate })),
    ).rejects.toThrow('certificate');
  });
});

test('over plain http a refund is taken, and the log says what WeChat would ask for', async () => {
  await bench.placeOrder('plain');
  await bench.control('POST', '/orders/plain/pay');
  const answer = await bench.call('/secapi/pay/refund', {
    out_trade_no: 'plain',
    out_refund_no: 'plain-R1',
    total_fee: '2800',
    refund_fee: '1',
  });
  expect(answer).toMatchObject({ result_code: 'SUCCESS' });
  const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
    messages: { kind: string; note?: string }[];
  };
  expect(messages.findLast(({ kind }) => kind === 'refund')?.note).toContain('over plain http');
});

test('the authority stays the same over restarts with one book', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-tls-'));
  const authorities: (string | undefined)[] = [];
  for (let start = 0; start < 2; start += 1) {
    const one = await startBench({ tlsPort: 0, dbPath: join(directory, 'book.sqlite') });
    authorities.push(one.simulator.tls?.authority);
    await one.stop();
  }
  await rm(directory, { recursive: true });
  expect(authorities[0]).toContain('BEGIN CERTIFICATE');
  expect(authorities[1]).toBe(authorities[0]);
});
