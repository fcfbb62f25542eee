/**
 * Time, randomness and I/O come in where the environment is made and nowhere else, so that the real
 * handlers and the simulator can run in one process, from one seed, under a clock of the test's own.
 */
import { describe, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from './project.ts';

/** What reaches out of the process, or differs from run to run. */
const AMBIENT: Readonly<Record<string, RegExp>> = {
  'the wall clock': /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)/,
  'the monotonic clock': /\bperformance\b|\bprocess\.(?:hrtime|uptime)\b/,
  randomness:
    /\bMath\.random\b|\bgetRandomValues\b|\bcrypto\.(?:random|generateKey)|^import [^;]*\b(?:random[A-Z]\w*|generateKey\w*)\b[^;]* from '(?:node:)?crypto'/m,
  timers:
    /(?<![.\w]|globalThis\.)(?:setTimeout|setInterval|setImmediate)\b|globalThis\.set[TI]|\btimers(?:\/promises)?'/,
  sockets:
    /(?:from |import\(?|require\(|getBuiltinModule\()\s*'(?:node:)?(?:net|tls|http|https|http2|dgram|dns)(?:\/\w+)?'|(?<![.\w])fetch\(|\bnew (?:WebSocket|EventSource)\b/,
  files: /(?:from |import\(?|require\(|getBuiltinModule\()\s*'(?:node:)?(?:fs|os)(?:\/\w+)?'/,
  settings: /\bprocess\.(?:env|argv|cwd)\b/,
};

interface Door {
  readonly may: readonly string[];
  readonly why: string;
}

/** Each with its reason; a file that no longer needs its place here fails the test, too. */
const DOORS: Readonly<Record<string, Door>> = {
  'lib/machine.ts': {
    may: ['the wall clock', 'the monotonic clock', 'randomness', 'timers', 'settings'],
    why: 'makes the environment of the functions',
  },
  'lib/transport/host.ts': {
    may: ['timers', 'sockets'],
    why: 'is the connection to WeChat that the machine opens; its timers belong to its sockets',
  },
  'lib/transport/client-certificate.ts': {
    may: ['sockets'],
    why: 'lets node:tls read a certificate, and opens nothing',
  },
  'lib/runtime/temporary-files.ts': {
    may: ['files'],
    why: 'is the temporary directory that the machine opens',
  },
  'simulator/main.ts': {
    may: ['files', 'settings'],
    why: 'is the program: it reads its own flags, and finds its own folder',
  },
  'simulator/book/credentials.ts': {
    may: ['files'],
    why: 'reads the keys that it is given a folder of',
  },
  'simulator/page/mini-program.ts': { may: ['files'], why: 'serves the files of the mini-program' },
  'simulator/page/static-files.ts': { may: ['files'], why: 'serves the files of the page' },
  'simulator/surroundings/machine.ts': {
    may: ['the wall clock', 'the monotonic clock', 'randomness', 'timers'],
    why: 'makes the surroundings of the simulator',
  },
  'simulator/surroundings/http-client.ts': {
    may: ['sockets'],
    why: 'is the connection to the merchant that the surroundings open',
  },
  'simulator/v2/order-request.ts': {
    may: ['sockets'],
    why: 'asks node:net whether a text is an address of the network, and opens nothing',
  },
  'simulator/host/http.ts': {
    may: ['sockets'],
    why: 'listens; a simulator without sockets does not start it',
  },
};

/** The code without comments and types; strings stay, because module names are in them. */
const codeOf = (text: string) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(?<![:'"`])\/\/.*$/gm, '')
    .replace(/^import type [^;]*;/gm, '');

const sources = listProjectFiles('lib/**/*.ts', 'functions/*.ts', 'simulator/**/*.ts').filter(
  (path) => !path.startsWith('simulator/page/browser/'),
);

/** What a file reaches for by itself: `the wall clock`, `timers`, … */
const reachesOf = (text: string): string[] =>
  Object.entries(AMBIENT)
    .filter(([, pattern]) => pattern.test(codeOf(text)))
    .map(([what]) => what);

describe('time, randomness and I/O', () => {
  test('come in where the environment is made and nowhere else', () => {
    const found = Object.fromEntries(
      sources
        .map((path) => [path, reachesOf(readProjectFile(path))] as const)
        .filter(([, reaches]) => reaches.length > 0),
    );

    expect(found).toEqual(
      Object.fromEntries(Object.entries(DOORS).map(([path, { may }]) => [path, may])),
    );
  });

  test.each([
    ['Date.now()', 'the wall clock'],
    ['const at = new Date();', 'the wall clock'],
    ['(now = Date.now) => now()', 'the wall clock'],
    ['performance.now()', 'the monotonic clock'],
    ["import { createHash, randomUUID } from 'node:crypto'", 'randomness'],
    ["import {\n  randomBytes,\n} from 'crypto';", 'randomness'],
    ['crypto.getRandomValues(bytes)', 'randomness'],
    ['crypto.randomUUID()', 'randomness'],
    ['setTimeout(run, 5)', 'timers'],
    ['globalThis.setTimeout(run, 5)', 'timers'],
    ["import { setTimeout } from 'node:timers/promises'", 'timers'],
    ["import https from 'node:https'", 'sockets'],
    ["process.getBuiltinModule('node:http')", 'sockets'],
    ["import { createServer } from 'http'", 'sockets'],
    ["await fetch('http://127.0.0.1')", 'sockets'],
    ["import { readFile } from 'node:fs/promises'", 'files'],
    ["import { tmpdir } from 'node:os'", 'files'],
    ["process.env['STAGE']", 'settings'],
  ])('%s reaches for %s', (code, what) => {
    expect(reachesOf(code)).toEqual([what]);
  });

  test.each([
    'new Date(epochMs).toISOString()',
    'machine.startTimer(5, run)',
    '/** As Date.now() would say. */ export const a = 1;',
    'globalThis.machine.nowMs()',
    'this.fetch(url)',
    "import type { RequestListener } from 'node:http';",
    "if (scheme === 'http') {}",
    'machine.randomBytes(16)',
  ])('%s reaches for nothing', (code) => {
    expect(reachesOf(code)).toEqual([]);
  });
});
