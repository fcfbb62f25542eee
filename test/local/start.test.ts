import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDescendants, listProcesses } from '../support/processes.ts';

interface Program {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals | null>;
  output(): string;
}
interface Ready {
  apiUrl: string;
  simulatorUrl: string;
}

let directory: string;
const programs: Program[] = [];

const run = (entry: string, args: string[] = [], environment: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [entry, ...args], {
    env: {
      ...process.env,
      PORT: '0',
      SIMULATOR_PORT: '0',
      LOCAL_DATA_DIR: directory,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  const program = { child, exited, output: () => output };
  programs.push(program);
  return program;
};

const waitUntil = async <T>(what: string, look: () => T | undefined): Promise<T> => {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const found = look();
    if (found !== undefined) {
      return found;
    }
    await delay(20);
  }
  throw new Error(`never happened: ${what}\n${programs.map((p) => p.output()).join('\n---\n')}`);
};

const waitUntilReady = (program: Program): Promise<Ready> =>
  waitUntil('ready', () => {
    const { exitCode } = program.child;
    if (exitCode !== null) {
      throw new Error(`ended with ${exitCode}: ${program.output()}`);
    }
    const line = /^ready {2}API (\S+) {2}WeChat \(simulator\) (\S+) {2}data (\S+)$/m.exec(
      program.output(),
    );
    if (line === null) {
      return undefined;
    }
    rememberParts(program);
    return { apiUrl: line[1] ?? '', simulatorUrl: line[2] ?? '' };
  });

/** Parts of stacks that were ready once: the simulator has nothing of the directory in its command. */
const parts = new Map<number, string>();
const rememberParts = ({ child }: Program) => {
  for (const { pid, command } of listDescendants(child.pid ?? 0)) {
    parts.set(pid, command);
  }
};
/** Programs on this test's data, and whatever belonged to a stack on it. */
const findProcesses = () =>
  listProcesses().filter(
    ({ pid, command }) =>
      pid !== process.pid && (command.includes(directory) || parts.get(pid) === command),
  );
const waitUntilNoneLeft = () =>
  waitUntil('the end of all processes', () => (findProcesses().length === 0 ? true : undefined));

const call = async (method: string, url: string, body?: object, headers = {}) => {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
};

const logIn = async ({ apiUrl, simulatorUrl }: Ready) => {
  const { body } = await call('POST', `${simulatorUrl}/_simulator/login`, { user: 'alice' });
  const session = await call('POST', `${apiUrl}/login`, { code: body.code });
  return { authorization: `Bearer ${session.body.token}` };
};

const placeOrder = async (ready: Ready, key: string) => {
  const headers = await logIn(ready);
  const items = [{ sku: 'latte', quantity: 1 }];
  const { body } = await call(
    'POST',
    `${ready.apiUrl}/prepay`,
    { items },
    {
      ...headers,
      'idempotency-key': key,
    },
  );
  return String(body.outTradeNo);
};

beforeEach(() => {
  parts.clear();
  directory = mkdtempSync(path.join(tmpdir(), 'start-'));
});
afterEach(async () => {
  for (const { child, exited } of programs.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  await waitUntilNoneLeft();
  rmSync(directory, { recursive: true });
});

describe('npm start', () => {
  it('leaves nothing running after kill -9, and the next start has every order', async () => {
    const first = run('local/start.ts');
    const outTradeNo = await placeOrder(await waitUntilReady(first), 'kill-me');
    expect(outTradeNo).toMatch(/^\w+$/);
    const requestLine = /^POST {2}\/prepay 200 \d+ ms \S+$/m;
    await waitUntil('the request', () => requestLine.exec(first.output()) ?? undefined);
    first.child.kill('SIGKILL');
    await first.exited;
    await waitUntilNoneLeft();

    const second = run('local/start.ts');
    const ready = await waitUntilReady(second);
    const headers = await logIn(ready);
    const order = await call('GET', `${ready.apiUrl}/orders/${outTradeNo}`, undefined, headers);
    expect(order).toMatchObject({ status: 200, body: { outTradeNo, tradeState: 'NOTPAY' } });
    const there = await call('GET', `${ready.simulatorUrl}/_simulator/orders/${outTradeNo}`);
    expect(there.status).toBe(200);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends cleanly on %s, with exit code 0',
    async (signal) => {
      const program = run('local/start.ts');
      await waitUntilReady(program);
      program.child.kill(signal);
      expect(await program.exited).toBe(0);
      expect(findProcesses()).toEqual([]);
      expect(existsSync(path.join(directory, 'stack.lock'))).toBe(false);
      expect(program.output()).toMatch(/stopped\n$/);
    },
  );

  it('refuses a second stack on the same data, and the first goes on', async () => {
    const first = run('local/start.ts');
    const { apiUrl } = await waitUntilReady(first);
    const second = run('local/start.ts');
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(
      `not started: a stack is already running on ${directory} (pid ${first.child.pid}): end it first (Ctrl-C in its terminal, or kill ${first.child.pid})`,
    );
    expect((await call('GET', `${apiUrl}/_local/status`)).status).toBe(200);
  });

  it('names a taken port and its variable, ends with 1 and leaves nothing behind', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      holder.once('listening', resolve);
    });
    const { port } = holder.address() as AddressInfo;
    for (const variable of ['PORT', 'SIMULATOR_PORT']) {
      const program = run('local/start.ts', [], { [variable]: String(port) });
      expect(await program.exited).toBe(1);
      expect(program.output()).toContain(`not started: port ${port} is already in use`);
      expect(program.output()).toContain(`${variable}=${port + 1}`);
    }
    holder.close();
    expect(findProcesses()).toEqual([]);
  });

  it('ends with 1 and says so when the DynamoDB engine is gone', async () => {
    const program = run('local/start.ts');
    await waitUntilReady(program);
    process.kill(
      Number(readFileSync(path.join(directory, 'dynamodb.sqlite.pid'), 'utf8')),
      'SIGKILL',
    );
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain('the DynamoDB engine ended by itself');
    expect(program.output()).toContain(`kept in ${directory}: run npm start again`);
    expect(findProcesses()).toEqual([]);
  });

  it('shows warnings of the functions in short, and keeps them whole in functions.log', async () => {
    const program = run('local/start.ts');
    const { apiUrl } = await waitUntilReady(program);
    await fetch(`${apiUrl}/notify/v2/payment`, { method: 'POST', body: '<xml><a>1</a></xml>' });
    const warning = /^WARN {3}notify {2}notification refused {2}SIGNATURE_INVALID.*$/m;
    await waitUntil('the warning', () => warning.exec(program.output()) ?? undefined);
    const log = readFileSync(path.join(directory, 'functions.log'), 'utf8');
    expect(log).toContain('"message":"notification refused"');
    expect(log).not.toMatch(/^WARN/m);
  });

  it('starts and pays behind a proxy that its Node is told to use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      holder.once('listening', resolve);
    });
    // Whoever asks it for anything waits for ever.
    const proxy = `http://127.0.0.1:${(holder.address() as AddressInfo).port}`;
    const environment = {
      NODE_USE_ENV_PROXY: '1',
      http_proxy: proxy,
      HTTP_PROXY: proxy,
      all_proxy: proxy,
      no_proxy: '',
      NO_PROXY: '',
    };
    const { apiUrl } = await waitUntilReady(run('local/start.ts', [], environment));
    const demo = run('local/demo.ts', [], { ...environment, PORT: new URL(apiUrl).port });
    expect(await demo.exited).toBe(0);
    expect(demo.output()).toContain(`Using the stack that runs at ${apiUrl}`);
    holder.closeAllConnections();
    holder.close();
  });

  it('explains its flags, and refuses one that it does not know', async () => {
    const help = run('local/start.ts', ['--help']);
    expect(await help.exited).toBe(0);
    expect(help.output()).toContain('--fresh');
    const unknown = run('local/start.ts', ['--frehs']);
    expect(await unknown.exited).toBe(1);
    expect(unknown.output()).toContain("Unknown option '--frehs'");
  });
});

describe('npm run demo', () => {
  it('pays one order on a stack of its own, and ends with 0', async () => {
    const demo = run('local/demo.ts', [], { PORT: '2999' });
    expect(await demo.exited).toBe(0);
    expect(demo.output()).toMatch(/tradeState +SUCCESS/);
    expect(demo.output()).toMatch(/paid\n$/);
  });

  it.each([
    ['v2', 'POST /notify/v2/payment', 'HMAC-SHA256'],
    ['v3', 'POST /notify/v3', 'RSA'],
  ])('pays on the API that --api names (%s)', async (api, notified, signType) => {
    const demo = run('local/demo.ts', ['--api', api]);
    expect(await demo.exited).toBe(0);
    expect(demo.output()).toContain(notified);
    expect(demo.output()).toContain(`(${signType})`);
  });

  it('refuses an API that there is not, and starts nothing', async () => {
    const demo = run('local/demo.ts', ['--api', 'v4']);
    expect(await demo.exited).toBe(1);
    expect(demo.output()).toContain('--api takes v2 or v3');
  });

  it('pays to the end when nobody reads on (npm run demo | head)', async () => {
    const demo = run('local/demo.ts');
    await waitUntil('its first line', () => demo.output().includes('\n') || undefined);
    demo.child.stdout?.destroy();
    expect(await demo.exited).toBe(0);
    expect(demo.output()).not.toContain('EPIPE');
  });

  it('uses the stack that runs', async () => {
    const { apiUrl } = await waitUntilReady(run('local/start.ts'));
    const demo = run('local/demo.ts', [], { PORT: new URL(apiUrl).port });
    expect(await demo.exited).toBe(0);
    expect(demo.output()).toContain(`Using the stack that runs at ${apiUrl}`);
  });

  it('finds the stack of the data directory on whatever port it is', async () => {
    const { apiUrl } = await waitUntilReady(run('local/start.ts'));
    for (const PORT of ['', '0', '2999']) {
      const demo = run('local/demo.ts', [], { PORT });
      expect(await demo.exited).toBe(0);
      expect(demo.output()).toContain(`Using the stack that runs at ${apiUrl}`);
    }
  });

  it('says what is wrong with PORT', async () => {
    const demo = run('local/demo.ts', [], { PORT: '4190' });
    expect(await demo.exited).toBe(1);
    expect(demo.output()).toContain('not paid: PORT=4190 is a port that fetch and browsers refuse');
  });
});
