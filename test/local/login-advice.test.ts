import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';

let stack: Stack;
const printed: string[] = [];

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    record: true,
    log: 'pretty',
    print: (line) => printed.push(line),
  });
});
afterAll(() => stack.stop());

const logIn = async (code: string, language = 'en') => {
  const answer = await fetch(`${stack.apiUrl}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-language': language },
    body: JSON.stringify({ code }),
  });
  return { status: answer.status, body: (await answer.json()) as LoginAnswer };
};

interface LoginAnswer {
  readonly token?: string;
  readonly requestId?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const control = async (call: string, body: object) =>
  (
    await fetch(`${stack.simulatorUrl}/_simulator/${call}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
  ).json() as Promise<{ code?: string }>;

describe("a login with a code of WeChat's developer tools", () => {
  test.each([
    ['en', 'wrong or older than 5 minutes', 'The simulator did not issue this login code'],
    ['zh-CN', '登录 code 无效或已过期', '不是模拟器签发的'],
  ])('is refused with the true reason in %s', async (language, ours, reason) => {
    const { status, body } = await logIn('0a1xTo0w3Jl4N2337b3w3QNmtI1xTo0f', language);

    expect(status).toBe(400);
    expect(body.error?.code).toBe('LOGIN_CODE_INVALID');
    expect(body.error?.message).toContain(ours);
    expect(body.error?.message).toContain(reason);
    expect(body.error?.message).not.toContain('。 ');
    expect(body.error?.message).toContain('--devtools-buyer alice');
    expect(body.requestId).toMatch(/\S/);
  });

  test('says so in the terminal and in functions.log', () => {
    const line = printed.find((one) => one.startsWith('WARN   login  The simulator did not issue'));

    expect(line).toContain('POST /_simulator/devtools-buyer {"user":"alice"}.');
    const log = readFileSync(path.join(stack.dataDir, 'functions.log'), 'utf8');
    expect(log).toContain('The simulator did not issue this login code');
  });

  test('a code that has expired is called expired, and no more', async () => {
    const { code = '' } = await control('login', { user: 'alice' });
    await stack.advanceClock(301);
    const { body } = await logIn(code);

    expect(body.error?.message).toBe(
      'The login code is wrong or older than 5 minutes; call wx.login again.',
    );
  });

  test('logs in once the developer has chosen a buyer', async () => {
    await control('devtools-buyer', { user: 'alice' });
    const { status, body } = await logIn('0b1xTo0w3Jl4N2337b3w3QNmtI1xTo0f');

    expect(status).toBe(200);
    expect(body.token).toMatch(/\S/);
  });
});
