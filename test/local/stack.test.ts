import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalClient } from '../../local/aws/dynamodb.ts';
import type { LocalMerchant } from '../../local/data/merchant.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';

const TEMPLATE = `
service: shop
functions:
  look: { handler: index.handler, events: [{ httpApi: GET /look }] }
  reconcile: { handler: index.handler, events: [{ schedule: rate(1 minute) }] }
`;
const LOOK = `
export const handler = async () => ({ now: new Date().toISOString(), environment: process.env });
`;
const RECONCILE = `
let runs = 0;
export const handler = async (event) => {
  if (event.source === 'aws.events') runs += 1;
  process.stdout.write(JSON.stringify({ level: 'WARN', message: 'reconciled', runs }) + '\\n');
  return { runs, now: Date.now() };
};
`;
/** What the stack needs of the simulator: its ready line, its clock, and that it goes with its parent. */
const SIMULATOR = `
import { createServer } from 'node:http';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const db = process.env.SIMULATOR_DB;
let offsetSeconds = existsSync(db) ? Number(readFileSync(db, 'utf8')) : 0;
const merchant = JSON.parse(readFileSync(process.env.SIMULATOR_MERCHANT_FILE, 'utf8'));
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (request.url === '/die') process.exit(3);
  const { advanceSeconds } = JSON.parse(body);
  if (advanceSeconds === 13) { response.statusCode = 500; response.end('unlucky'); return; }
  offsetSeconds += advanceSeconds;
  writeFileSync(db, String(offsetSeconds));
  const now = new Date(Date.now() + offsetSeconds * 1000).toISOString();
  response.end(JSON.stringify({ now, offsetSeconds, appid: merchant.appid }));
});
server.listen(Number(process.env.SIMULATOR_PORT), '127.0.0.1', () => {
  const url = 'http://127.0.0.1:' + server.address().port;
  const tls = { tlsUrl: 'https://tls', tlsBackupUrl: 'https://tls/backup', tlsAuthority: 'PEM of it' };
  console.log(JSON.stringify({ event: 'ready', url, backupUrl: url + '/backup', ...tls, seed: process.env.SEED ?? 's' }));
});
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
`;

let directory: string;
let stack: Stack | undefined;

const start = async (options: StackOptions = {}) => {
  stack = await startStack({
    dataDir: path.join(directory, 'data'),
    port: 0,
    simulatorPort: 0,
    functionsDir: directory,
    templatePath: path.join(directory, 'serverless.yml'),
    simulatorEntry: path.join(directory, 'simulator.mjs'),
    ...options,
  });
  return stack;
};
const stop = async () => {
  await stack?.stop();
  stack = undefined;
};
const readMerchant = () =>
  JSON.parse(readFileSync(path.join(directory, 'data', 'merchant.json'), 'utf8')) as LocalMerchant;
const look = async (running: Stack) =>
  (await (await fetch(`${running.apiUrl}/look`)).json()) as {
    now: string;
    environment: Record<string, string>;
  };

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'stack-'));
  writeFileSync(path.join(directory, 'serverless.yml'), TEMPLATE);
  writeFileSync(path.join(directory, 'look.ts'), LOOK);
  writeFileSync(path.join(directory, 'reconcile.ts'), RECONCILE);
  writeFileSync(path.join(directory, 'simulator.mjs'), SIMULATOR);
});
afterEach(async () => {
  await stop();
  rmSync(directory, { recursive: true });
});

describe('startStack', () => {
  it('says in merchant.json where the simulator is, also over TLS', async () => {
    const running = await start();
    expect(readMerchant()).toMatchObject({
      apiUrl: running.apiUrl,
      simulatorUrl: running.simulatorUrl,
      simulatorTlsUrl: 'https://tls',
      simulatorTlsBackupUrl: 'https://tls/backup',
      simulatorCa: 'PEM of it',
    });
  });

  it('gives the functions an environment that points at the emulators, and takes it back', async () => {
    const running = await start();
    const { environment } = await look(running);
    expect(environment).toMatchObject({
      STAGE: 'local',
      TABLE_NAME: 'shop-local',
      MINI_PROGRAM_SECRET_ID: 'shop/local/mini-program',
      MERCHANT_SECRET_ID: 'shop/local/merchant',
      EVENT_BUS_NAME: 'shop-local',
      AWS_ENDPOINT_URL_EVENTBRIDGE: running.eventBridgeEndpoint,
      PUBLIC_BASE_URL: running.apiUrl,
      WECHAT_PAY_BASE_URLS: `${running.simulatorUrl},${running.simulatorUrl}/backup`,
      WEIXIN_BASE_URLS: `${running.simulatorUrl},${running.simulatorUrl}/backup`,
      WECHAT_PAY_CERTIFIED_BASE_URLS: 'https://tls,https://tls/backup',
      WECHAT_PAY_CERTIFIED_CA: 'PEM of it',
      AWS_ENDPOINT_URL_DYNAMODB: running.dynamoDbEndpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: running.secretsManagerEndpoint,
      POWERTOOLS_SERVICE_NAME: 'shop-local',
      POWERTOOLS_METRICS_NAMESPACE: 'WechatPayServerless',
    });
    await stop();
    expect(process.env.PUBLIC_BASE_URL).toBeUndefined();
  });

  it('writes merchant.json and puts the same values into the two secrets', async () => {
    const running = await start();
    const merchant = readMerchant();
    expect(merchant).toEqual(running.merchant);
    expect(merchant).toMatchObject({
      apiUrl: running.apiUrl,
      simulatorUrl: running.simulatorUrl,
      appid: expect.stringMatching(/^wx[0-9a-f]{16}$/),
      apiV2Key: expect.stringMatching(/^\w{32}$/),
    });

    const client = new SecretsManagerClient({
      endpoint: running.secretsManagerEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const read = async (SecretId: string) => {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
      return JSON.parse(SecretString ?? '') as Record<string, string>;
    };
    const miniProgram = await read('shop/local/mini-program');
    expect(miniProgram).toEqual({
      appid: merchant.appid,
      appSecret: merchant.appSecret,
      quoteKey: merchant.quoteKey,
      sessionKey: expect.stringMatching(/^.{32,}$/),
    });
    expect(Object.keys(await read('shop/local/merchant')).toSorted()).toEqual([
      'apiV2Key',
      'apiV3Key',
      'mchid',
      'merchantCertificate',
      'merchantPrivateKey',
      'merchantSerialNo',
      'wechatpayPublicKey',
      'wechatpayPublicKeyId',
    ]);
    client.destroy();
  });

  it('has merchant, keys, orders and changed products again after a restart', async () => {
    const first = await start();
    const { merchant, tableName } = first;
    const before = createLocalClient(first.dynamoDbEndpoint);
    await before.send(
      new PutItemCommand({
        TableName: tableName,
        Item: { PK: { S: 'ORDER#1' }, SK: { S: 'ORDER' } },
      }),
    );
    await before.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { PK: { S: 'PRODUCT#latte' }, SK: { S: 'PRODUCT' } },
        UpdateExpression: 'SET priceFen = :p',
        ExpressionAttributeValues: { ':p': { N: '3000' } },
      }),
    );
    before.destroy();
    await stop();

    const second = await start();
    const { apiUrl, simulatorUrl } = second;
    expect(second.merchant).toEqual({ ...merchant, apiUrl, simulatorUrl });
    const after = createLocalClient(second.dynamoDbEndpoint);
    const get = async (PK: string, SK: string) =>
      (
        await after.send(
          new GetItemCommand({ TableName: tableName, Key: { PK: { S: PK }, SK: { S: SK } } }),
        )
      ).Item;
    expect(await get('ORDER#1', 'ORDER')).toBeDefined();
    expect((await get('PRODUCT#latte', 'PRODUCT'))?.priceFen).toEqual({ N: '3000' });
    expect(await get('PRODUCT#cookie', 'PRODUCT')).toMatchObject({
      sku: { S: 'cookie' },
      priceFen: { N: '1' },
    });
    expect(await get('PRODUCT#deposit', 'PRODUCT')).toMatchObject({
      kind: { S: 'service' },
      minFen: { N: '1' },
      maxFen: { N: '100000' },
    });
    after.destroy();
  });

  it('forgets all of it with fresh, but not what somebody else put there', async () => {
    const { mchid } = (await start()).merchant;
    await stop();
    const foreign = path.join(directory, 'data', 'notes.txt');
    writeFileSync(foreign, 'mine');
    const again = await start({ fresh: true });
    expect(again.merchant.mchid).not.toBe(mchid);
    expect(readFileSync(foreign, 'utf8')).toBe('mine');
  });

  it('leaves no data directory behind when it ran in memory', async () => {
    const { dataDir } = await start({ inMemory: true });
    expect(readFileSync(path.join(dataDir, 'merchant.json'), 'utf8')).toContain('appid');
    await stop();
    expect(() => readFileSync(path.join(dataDir, 'merchant.json'))).toThrow('ENOENT');
  });

  it('keeps its table in that directory too, where the stream is indexed', async () => {
    const { dataDir } = await start({ inMemory: true });
    expect(existsSync(path.join(dataDir, 'dynamodb.sqlite'))).toBe(true);
  });

  it('refuses a data directory that a running stack holds', async () => {
    const { dataDir } = await start();
    await expect(startStack({ dataDir, port: 0, simulatorPort: 0 })).rejects.toThrow(
      `a stack is already running on ${dataDir} (pid ${process.pid})`,
    );
  });

  it.each([
    ['port', 'PORT'],
    ['simulatorPort', 'SIMULATOR_PORT'],
  ] as const)('names the taken %s and the variable that changes it', async (option, variable) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      holder.once('listening', resolve);
    });
    const { port } = holder.address() as AddressInfo;
    await expect(start({ [option]: port })).rejects.toThrow(
      `port ${port} is already in use: end the program that holds it, or choose another port with ${variable}=${port + 1}`,
    );
    holder.close();
    // The failed start left no lock and no part behind.
    await start();
  });

  it('says what the simulator printed when it does not start', async () => {
    writeFileSync(path.join(directory, 'simulator.mjs'), "throw new Error('no book');");
    await expect(start()).rejects.toThrow(/the simulator did not start \(exit 1\):[^]*no book/);
  });

  it('says so when the simulator ends by itself', async () => {
    const running = await start();
    await fetch(`${running.simulatorUrl}/die`).catch(() => {});
    await expect(running.died).rejects.toThrow(/^the simulator ended by itself \(exit 3\)$/);
  });

  it('puts what the functions print into functions.log, and the warnings before the eyes', async () => {
    const printed: string[] = [];
    const running = await start({ log: 'pretty', print: (line) => printed.push(line) });
    await running.invoke('reconcile');
    expect(printed).toEqual(['WARN   reconcile  reconciled']);
    const log = readFileSync(path.join(directory, 'data', 'functions.log'), 'utf8');
    expect(log).toBe('{"level":"WARN","message":"reconciled","runs":0}\n');
  });
});

describe('the clock of the stack', () => {
  const move = async (running: Stack, advanceSeconds: number) => {
    const answer = await fetch(`${running.apiUrl}/_local/clock`, {
      method: 'POST',
      body: JSON.stringify({ advanceSeconds }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const runs = async (running: Stack) =>
    ((await running.invoke('reconcile')) as { runs: number }).runs;

  it('moves functions and simulator together, and reconcile has run once by then', async () => {
    const running = await start();
    const realNow = Date.now();
    const { status, body } = await move(running, 3600);
    expect(status).toBe(200);
    expect(body.offsetSeconds).toBe(3600);
    expect(Math.abs(Date.parse(String(body.now)) - realNow - 3_600_000)).toBeLessThan(5000);
    expect(Math.abs(Date.parse((await look(running)).now) - realNow - 3_600_000)).toBeLessThan(
      5000,
    );
    // A second run when a real minute ends meanwhile.
    expect([1, 2]).toContain(await runs(running));
    const there = await fetch(`${running.simulatorUrl}/_simulator/clock`, {
      method: 'POST',
      body: '{"advanceSeconds":0}',
    });
    expect(await there.json()).toMatchObject({ offsetSeconds: 3600 });
  });

  it('leaves reconcile alone when the schedule is off', async () => {
    const running = await start({ schedule: false });
    await running.advanceClock(600);
    expect(await runs(running)).toBe(0);
  });

  it('moves neither side when the simulator refuses', async () => {
    const running = await start();
    const { status, body } = await move(running, 13);
    expect(status).toBe(502);
    expect(body).toEqual({
      error: {
        code: 'CLOCK_NOT_MOVED',
        message: 'the simulator did not move its clock (500): unlucky',
      },
    });
    expect((await running.advanceClock(0)).offsetSeconds).toBe(0);
  });

  it('stands where it stood after a restart, also when a kill had left one side behind', async () => {
    await (await start()).advanceClock(120);
    await stop();
    writeFileSync(path.join(directory, 'data', 'wechat.sqlite'), '60');
    expect((await (await start()).advanceClock(0)).offsetSeconds).toBe(120);
    await stop();
    expect(readFileSync(path.join(directory, 'data', 'wechat.sqlite'), 'utf8')).toBe('120');
    writeFileSync(path.join(directory, 'data', 'wechat.sqlite'), '300');
    expect((await (await start()).advanceClock(0)).offsetSeconds).toBe(300);
  });

  it('gives the process its own time back at the end', async () => {
    await (await start()).advanceClock(86_400);
    const ahead = Date.now();
    await stop();
    expect(ahead - Date.now()).toBeGreaterThan(86_000_000);
  });
});
