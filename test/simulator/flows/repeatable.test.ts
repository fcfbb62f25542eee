/** The whole simulator in this process, without a socket: the same seed gives the same bytes. */
import { expect, test } from 'vitest';
import type { Credentials } from '../../../simulator/book/credentials.ts';
import { createMerchant } from '../../../simulator/create-merchant.ts';
import type { RawRequest, Reply } from '../../../simulator/host/http.ts';
import { type OpenSimulator, openSimulator } from '../../../simulator/start.ts';
import type {
  OutgoingRequest,
  OutgoingResult,
} from '../../../simulator/surroundings/surroundings.ts';
import { type SeededMachine, seededMachine } from '../../support/seeded-machine.ts';
import { ACKNOWLEDGEMENT, sign, tenpayUtil } from '../support.ts';
import { JSAPI, rsaSign, stringOf } from '../v3-support.ts';

const NOTIFY_V2 = 'http://shop.test/notify/v2';
const NOTIFY_V3 = 'http://shop.test/notify/v3';

/** What one party said to another; bodies as text. */
type Line = Readonly<Record<string, unknown>>;

interface World {
  readonly machine: SeededMachine;
  readonly simulator: OpenSimulator;
  readonly credentials: Credentials;
  readonly trace: Line[];
  /** Answers that the shop gives to notifications, the first one first; then it acknowledges. */
  readonly refusals: OutgoingResult[];
}

const acknowledge = ({ url }: OutgoingRequest): OutgoingResult => ({
  kind: 'answered',
  status: url === NOTIFY_V2 ? 200 : 204,
  headers: {},
  body: Buffer.from(url === NOTIFY_V2 ? ACKNOWLEDGEMENT : ''),
});

async function openWorld(seed: string, credentials: Credentials): Promise<World> {
  const machine = seededMachine(seed);
  const trace: Line[] = [];
  const refusals: OutgoingResult[] = [];
  const simulator = await openSimulator({
    ...credentials,
    surroundings: {
      ...machine,
      createRsaKeyPair: async () => Promise.reject(new Error('no key is made in this run')),
      openHttpClient: () => ({
        async send(request) {
          const { url, headers, body } = request;
          trace.push({ atMs: machine.nowMs(), url, headers, body: body.toString('utf8') });
          return Promise.resolve(refusals.shift() ?? acknowledge(request));
        },
        close: () => undefined,
      }),
    },
  });
  return { machine, simulator, credentials, trace, refusals };
}

async function ask({ simulator, machine, trace }: World, request: RawRequest): Promise<string> {
  const reply: Reply = await simulator.handle(request);
  trace.push({ atMs: machine.nowMs(), asked: request.url, reply });
  if (typeof reply === 'string') {
    throw new Error(`${request.url}: ${reply}`);
  }
  return reply.body;
}

async function control(world: World, method: string, path: string, body?: object) {
  const text = await ask(world, {
    method,
    url: `/_simulator${path}`,
    headers: { host: '127.0.0.1' },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
  });
  return JSON.parse(text) as Record<string, unknown>;
}

const nonceOf = ({ machine }: World) => machine.randomBytes(16).toString('hex');
const secondsOf = ({ machine }: World) => Math.floor(machine.nowMs() / 1000).toString();

async function payV2(world: World): Promise<void> {
  const { appid, mchid, apiV2Key } = world.credentials.merchant;
  const { openid } = await control(world, 'GET', '/users/alice');
  const fields = {
    appid,
    mch_id: mchid,
    nonce_str: nonceOf(world),
    sign_type: 'HMAC-SHA256',
    body: '测试店-拿铁',
    out_trade_no: 'R20260101001',
    total_fee: '2800',
    spbill_create_ip: '127.0.0.1',
    notify_url: NOTIFY_V2,
    trade_type: 'JSAPI',
    openid: String(openid),
  };
  const body = tenpayUtil.buildXML({ ...fields, sign: sign(fields, apiV2Key, 'HMAC-SHA256') });
  const answer = await tenpayUtil.parseXML(
    await ask(world, {
      method: 'POST',
      url: '/pay/unifiedorder',
      headers: {},
      body: Buffer.from(body),
    }),
  );
  const payment = {
    timeStamp: secondsOf(world),
    nonceStr: nonceOf(world),
    package: `prepay_id=${answer['prepay_id']}`,
    signType: 'HMAC-SHA256',
  };
  const paySign = sign({ appId: appid, ...payment }, apiV2Key, 'HMAC-SHA256');
  expect(
    await control(world, 'POST', '/request-payment', { user: 'alice', ...payment, paySign }),
  ).toEqual({ errMsg: 'requestPayment:ok' });
}

async function refundV2(world: World): Promise<void> {
  const { appid, mchid, apiV2Key } = world.credentials.merchant;
  const fields = {
    appid,
    mch_id: mchid,
    nonce_str: nonceOf(world),
    out_trade_no: 'R20260101001',
    out_refund_no: 'R20260101001-R1',
    total_fee: '2800',
    refund_fee: '800',
    notify_url: NOTIFY_V2,
  };
  const answer = await ask(world, {
    method: 'POST',
    url: '/secapi/pay/refund',
    headers: {},
    body: Buffer.from(tenpayUtil.buildXML({ ...fields, sign: sign(fields, apiV2Key) })),
  });
  expect(answer).toContain('<result_code><![CDATA[SUCCESS]]></result_code>');
}

async function refundV3(world: World): Promise<void> {
  const answer = await postV3(world, '/v3/refund/domestic/refunds', {
    out_trade_no: 'R20260101002',
    out_refund_no: 'R20260101002-R1',
    notify_url: NOTIFY_V3,
    amount: { refund: 800, total: 2800, currency: 'CNY' },
  });
  expect(answer).toMatchObject({ status: 'PROCESSING' });
}

async function prepayV3(world: World): Promise<string> {
  const { appid, mchid } = world.credentials.merchant;
  const { openid } = await control(world, 'GET', '/users/alice');
  const answer = await postV3(world, JSAPI, {
    appid,
    mchid,
    description: '测试店-拿铁',
    out_trade_no: 'R20260101002',
    notify_url: NOTIFY_V3,
    amount: { total: 2800, currency: 'CNY' },
    payer: { openid },
  });
  return String(answer['prepay_id']);
}

async function postV3(world: World, url: string, content: object) {
  const { mchid, merchantSerialNo, merchantPrivateKey } = world.credentials.merchant;
  const body = JSON.stringify(content);
  const [timestamp, nonce] = [secondsOf(world), nonceOf(world)];
  const text = stringOf({ method: 'POST', url, timestamp, nonce, body });
  const fields = `mchid="${mchid}",nonce_str="${nonce}",timestamp="${timestamp}",serial_no="${merchantSerialNo}"`;
  const answer = await ask(world, {
    method: 'POST',
    url,
    headers: {
      authorization: `WECHATPAY2-SHA256-RSA2048 ${fields},signature="${rsaSign(text, merchantPrivateKey)}"`,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'test',
    },
    body: Buffer.from(body),
  });
  return JSON.parse(answer) as Record<string, unknown>;
}

async function payV3(world: World): Promise<void> {
  const { appid, merchantPrivateKey } = world.credentials.merchant;
  const pack = `prepay_id=${await prepayV3(world)}`;
  const [timeStamp, nonceStr] = [secondsOf(world), nonceOf(world)];
  const message = `${appid}\n${timeStamp}\n${nonceStr}\n${pack}\n`;
  const paySign = rsaSign(message, merchantPrivateKey);
  const payment = { user: 'alice', timeStamp, nonceStr, package: pack, signType: 'RSA', paySign };
  expect(await control(world, 'POST', '/request-payment', payment)).toEqual({
    errMsg: 'requestPayment:ok',
  });
}

/** One payment and one refund of each API version; the shop refuses the first notification of the second. */
async function run(seed: string, credentials: Credentials): Promise<Line[]> {
  const world = await openWorld(seed, credentials);
  const { machine, simulator, trace, refusals } = world;
  await machine.advance(1500);
  await payV2(world);
  await machine.advance(1000);
  refusals.push({ kind: 'answered', status: 500, headers: {}, body: Buffer.from('busy') });
  await payV3(world);
  await machine.advance(60_000);
  await refundV2(world);
  await refundV3(world);
  await control(world, 'POST', '/clock', { advanceSeconds: 30 });
  await control(world, 'GET', '/orders');
  await control(world, 'GET', '/messages');
  await simulator.stop();
  expect(machine.pendingTimers()).toBe(0);
  return trace;
}

const deliveriesTo = (url: string, trace: readonly Line[]) =>
  trace.filter((line) => line['url'] === url);

test('payments and refunds of v2 and v3 are the same byte for byte, twice from one seed', async () => {
  const credentials = await createMerchant();
  const first = await run('one', credentials);
  const second = await run('one', credentials);

  expect(JSON.stringify(second, null, 1)).toBe(JSON.stringify(first, null, 1));
});

test('a notification that was refused comes again after 15 seconds of simulated time', async () => {
  const trace = await run('one', await createMerchant());

  expect(deliveriesTo(NOTIFY_V2, trace)).toHaveLength(2);
  const [refused, accepted] = deliveriesTo(NOTIFY_V3, trace).map(({ atMs }) => Number(atMs));
  expect((accepted ?? 0) - (refused ?? 0)).toBe(15_000);
});

test('another seed gives other bytes', async () => {
  const credentials = await createMerchant();
  const bodiesOf = async (seed: string) =>
    (await run(seed, credentials)).flatMap(({ url, body }) => (url === NOTIFY_V3 ? [body] : []));

  const [one, other] = [await bodiesOf('one'), await bodiesOf('other')];
  expect(one).toHaveLength(3);
  expect(other).not.toEqual(one);
});
