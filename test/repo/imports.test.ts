import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from './project.ts';

/**
 * Which room of production code may import which, from the lowest floor up: exactly the arrows that
 * there are, so that a new one is a decision. `docs/architecture.md` shows the same table; the
 * simulator's own stands in `test/simulator/rooms.test.ts`.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'lib/order': [],
  'lib/refund': ['lib/order'],
  'lib/transport': [],
  'lib/bill': [],
  'lib/weixin': ['lib/transport'],
  'lib/runtime': ['lib/order'],
  'lib/secrets': ['lib/runtime'],
  'lib/table': ['lib/order', 'lib/refund'],
  'lib/events': ['lib/order', 'lib/table'],
  'lib/publish': ['lib/events', 'lib/machine.ts', 'lib/runtime', 'lib/table'],
  'lib/wechatpay': ['lib/order', 'lib/refund', 'lib/runtime', 'lib/secrets', 'lib/transport'],
  'lib/http': ['lib/order', 'lib/refund', 'lib/runtime', 'lib/secrets', 'lib/wechatpay'],
  'lib/evidence': ['lib/order', 'lib/refund', 'lib/runtime', 'lib/table', 'lib/wechatpay'],
  'lib/checkout': ['lib/http', 'lib/order', 'lib/table', 'lib/wechatpay'],
  'lib/reconcile': [
    'lib/evidence',
    'lib/order',
    'lib/refund',
    'lib/runtime',
    'lib/table',
    'lib/wechatpay',
  ],
  'lib/daily-bill': [
    'lib/bill',
    'lib/evidence',
    'lib/order',
    'lib/refund',
    'lib/runtime',
    'lib/table',
    'lib/wechatpay',
  ],
  'lib/machine.ts': ['lib/runtime', 'lib/secrets', 'lib/transport'],
  'lib/deployment.ts': [
    'lib/machine.ts',
    'lib/runtime',
    'lib/secrets',
    'lib/table',
    'lib/wechatpay',
  ],
  functions: [],
};

/** Words of every room: errors, and how a time is written. They import no room. */
const EVERYBODYS = ['lib/errors.ts', 'lib/error-codes.ts', 'lib/time.ts'];

interface Import {
  from: string;
  /** A path in the project, or the name of a package or built-in module. */
  to: string;
}

const IMPORT = /^\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/gm;

const importsOf = (from: string): Import[] =>
  [...readProjectFile(from).matchAll(IMPORT)].map(([, named, bare]) => {
    const specifier = named ?? bare ?? '';
    return { from, to: specifier.startsWith('.') ? join(dirname(from), specifier) : specifier };
  });

const importsIn = (...directories: string[]) =>
  directories.flatMap((directory) => listProjectFiles(`${directory}/**/*.ts`)).flatMap(importsOf);

const isOurs = ({ to }: Import) => /\.(ts|js|mjs)$/.test(to);

const packageOf = (specifier: string) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

const describeImports = (imports: Import[]) => imports.map(({ from, to }) => `${from} → ${to}`);

/** `lib/table/orders.ts` is in the room `lib/table`, `lib/errors.ts` is one by itself. */
function roomOf(path: string): string {
  const [top = '', ...rest] = path.split('/');
  return top === 'functions' ? top : [top, rest[0]].join('/');
}

/** Who imports whom, by file or by room; nobody itself. */
function arrowsBetween(imports: readonly Import[], nameOf: (path: string) => string) {
  const arrows = new Map<string, Set<string>>();
  for (const { from, to } of imports.filter(isOurs)) {
    const [a, b] = [nameOf(from), nameOf(to)];
    if (a !== b) {
      arrows.set(a, (arrows.get(a) ?? new Set()).add(b));
    }
  }
  return arrows;
}

/** The first way round that comes back to where it began: `['a', 'b', 'a']`; nothing if there is none. */
function findCircle(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    const seenAt = path.indexOf(name);
    if (seenAt >= 0) {
      return [...path.slice(seenAt), name];
    }
    if (done.has(name)) {
      return undefined;
    }
    done.add(name);
    for (const next of arrows.get(name) ?? []) {
      const circle = visit(next, [...path, name]);
      if (circle) {
        return circle;
      }
    }
    return undefined;
  };
  for (const name of arrows.keys()) {
    const circle = visit(name, []);
    if (circle) {
      return circle;
    }
  }
  return undefined;
}

/** The rows of the table of rooms: `| `lib/table/` | what it is | `lib/order`, … |`. */
function documentedRooms(page: string): Record<string, string[]> {
  const rows = readProjectFile(page).matchAll(
    /^\| `((?:lib|functions)\b[^`]*)` \| [^|]* \| ([^|]*) \|$/gm,
  );
  return Object.fromEntries(
    [...rows].map(([, room = '', may = '']) => [
      room.replace(/\/$/, ''),
      [...may.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace(/\/$/, '')).toSorted(),
    ]),
  );
}

const sorted = (rooms: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(rooms).map(([room, may]) => [room, may.toSorted()]));

describe('rooms', () => {
  const { functions: _everything, ...rooms } = ROOMS;

  test('import exactly what the table allows', () => {
    const files = listProjectFiles('lib/**/*.ts').map(roomOf);
    const found = arrowsBetween(importsIn('lib'), roomOf);
    const arrowsOf = (room: string) =>
      [...(found.get(room) ?? [])].filter((to) => !EVERYBODYS.includes(to)).toSorted();

    expect(Object.fromEntries([...new Set(files)].map((room) => [room, arrowsOf(room)]))).toEqual({
      ...sorted(rooms),
      ...Object.fromEntries(EVERYBODYS.map((file) => [file, []])),
    });
  });

  test.each(['docs/architecture.md', 'docs/architecture.zh-CN.md'])(
    'stand in %s as they are',
    (page) => {
      expect(documentedRooms(page)).toEqual({ ...sorted(rooms), functions: ['lib'] });
    },
  );

  test.each(['lib', 'functions', 'simulator', 'local', 'ops'])(
    'of %s/ import in no circle',
    (top) => {
      const imports = importsIn(top).filter(({ to }) => to.startsWith(`${top}/`));

      expect(findCircle(arrowsBetween(imports, (path) => path))).toBeUndefined();
      expect(findCircle(arrowsBetween(imports, roomOf))).toBeUndefined();
    },
  );

  test('in a circle are found', () => {
    const arrows = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['d', new Set(['b'])],
    ]);

    expect(findCircle(arrows)).toEqual(['b', 'd', 'b']);
  });
});

describe('files', () => {
  test('of the product stay below 250 lines', () => {
    const rooms = ['functions', 'lib', 'simulator', 'local', 'ops', 'examples', 'build', 'bench'];
    const patterns = rooms.map((directory) => `${directory}/**/*.ts`);
    const long = listProjectFiles(...patterns, '**/*.mjs', 'miniprogram/**/*.js')
      .map((path) => [path, readProjectFile(path).trimEnd().split('\n').length] as const)
      .filter(([, lines]) => lines > 250);

    expect(long).toEqual([]);
  });
});

describe('imports', () => {
  test('are found at all', () => {
    const found = importsIn('lib', 'functions', 'simulator').filter(isOurs);

    expect(found).toContainEqual({ from: 'lib/runtime/config.ts', to: 'lib/errors.ts' });
    expect(found).toContainEqual({ from: 'functions/notify.ts', to: 'lib/deployment.ts' });
    expect(found.length).toBeGreaterThan(20);
  });

  test('of functions/ go to lib/ only', () => {
    const others = importsIn('functions')
      .filter(isOurs)
      .filter(({ to }) => !to.startsWith('lib/'));

    expect(describeImports(others)).toEqual([]);
  });

  test('of lib/ stay in lib/', () => {
    const others = importsIn('lib')
      .filter(isOurs)
      .filter(({ to }) => !to.startsWith('lib/'));

    expect(describeImports(others)).toEqual([]);
  });

  test('of lib/order go to lib/errors.ts, and to nothing that does I/O', () => {
    const others = importsIn('lib/order').filter(
      ({ to }) =>
        !to.startsWith('lib/order/') && !['lib/errors.ts', 'node:crypto', 'valibot'].includes(to),
    );

    expect(describeImports(others)).toEqual([]);
  });

  test('of lib/refund go to lib/order, lib/errors.ts and lib/time.ts, and to nothing that does I/O', () => {
    const others = importsIn('lib/refund').filter(
      ({ to }) =>
        !/^lib\/(refund|order)\//.test(to) &&
        !['lib/errors.ts', 'lib/time.ts', 'node:crypto', 'valibot'].includes(to),
    );

    expect(describeImports(others)).toEqual([]);
  });

  test('never cross between the versions of the WeChat Pay API', () => {
    const crossing = importsIn('lib/wechatpay').filter(
      ({ from, to }) =>
        (from.includes('/v2/') && to.includes('/v3/')) ||
        (from.includes('/v3/') && to.includes('/v2/')),
    );

    expect(describeImports(crossing)).toEqual([]);
  });

  test('of the DynamoDB SDK are in lib/table only', () => {
    const others = importsIn('lib', 'functions').filter(
      ({ from, to }) => to.startsWith('@aws-sdk/client-dynamodb') && !from.startsWith('lib/table/'),
    );

    expect(describeImports(others)).toEqual([]);
  });

  test('of the simulator never reach the code that it is to judge', () => {
    const others = importsIn('simulator').filter(({ to }) => /^(lib|functions|local)\//.test(to));

    expect(describeImports(others)).toEqual([]);
  });

  test('of production code name production dependencies only', () => {
    const { dependencies } = JSON.parse(readProjectFile('package.json'));
    const allowed = new Set([...Object.keys(dependencies), 'aws-lambda']);
    const others = importsIn('lib', 'functions').filter(
      (each) => !isOurs(each) && !isBuiltin(each.to) && !allowed.has(packageOf(each.to)),
    );

    expect(describeImports(others)).toEqual([]);
    // Types only, from a development dependency: nothing of it is left in a bundle.
    const lambda = listProjectFiles('lib/**/*.ts', 'functions/*.ts')
      .map(readProjectFile)
      .flatMap((text) => text.match(/^import .*'aws-lambda'/gm) ?? []);
    expect(lambda.filter((line) => !line.startsWith('import type '))).toEqual([]);
  });
});
