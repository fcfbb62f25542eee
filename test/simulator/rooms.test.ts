/** The ground plan of the simulator: which room may use which, from the lowest floor up. */
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from '../repo/project.ts';

/** A room may use rooms that stand above it in this list, and of those the named ones only. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  explain: [],
  surroundings: [],
  book: ['surroundings'],
  host: ['explain', 'surroundings', 'book'],
  v2: ['explain', 'book', 'host'],
  v3: ['explain', 'book', 'host'],
  weixin: ['host'],
  notifications: ['explain', 'surroundings', 'book', 'host', 'v2', 'v3'],
  'wechat.ts': ['surroundings', 'book', 'host', 'notifications'],
  phone: ['explain', 'book', 'host', 'v2', 'notifications', 'wechat.ts'],
  control: 'book host notifications phone surroundings v2 v3 weixin wechat.ts'.split(' '),
  page: ['explain', 'surroundings', 'host'],
  'create-merchant.ts': ['surroundings', 'book'],
  'start.ts': 'book control host page surroundings v2 v3 wechat.ts weixin'.split(' '),
  'main.ts': ['book', 'host', 'start.ts'],
};

const IMPORT = /^\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'/gm;

/** What each file imports: paths of the project, names of packages. */
const imports = new Map(
  listProjectFiles('simulator/**/*.ts').map((file) => [
    file,
    [...readProjectFile(file).matchAll(IMPORT)].map(([, name = '']) =>
      name.startsWith('.') ? join(dirname(file), name) : name,
    ),
  ]),
);

const roomOf = (file: string) => file.split('/')[1] ?? '';

/** `a → b` for each room that a file of another room imports. */
function listArrows(): string[] {
  const arrows = [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => target.startsWith('simulator/') && roomOf(target) !== roomOf(file))
      .map((target) => `${roomOf(file)} → ${roomOf(target)}`),
  );
  return [...new Set(arrows)].sort();
}

/** The first way from a file back to itself. */
function findCircle(file: string, path: readonly string[], done: Set<string>): readonly string[] {
  if (path.includes(file)) {
    return [...path.slice(path.indexOf(file)), file];
  }
  if (done.has(file)) {
    return [];
  }
  for (const target of imports.get(file) ?? []) {
    const circle = findCircle(target, [...path, file], done);
    if (circle.length > 0) {
      return circle;
    }
  }
  done.add(file);
  return [];
}

describe('the rooms of the simulator', () => {
  test('use each other as the table says, no more and no less', () => {
    const allowed = Object.entries(ROOMS).flatMap(([room, used]) =>
      used.map((one) => `${room} → ${one}`),
    );

    expect(listArrows()).toEqual(allowed.sort());
  });

  test('use only rooms on lower floors, so that there is no circle between them', () => {
    const floors = Object.keys(ROOMS);
    const upward = Object.entries(ROOMS).flatMap(([room, used]) =>
      used.filter((one) => floors.indexOf(one) >= floors.indexOf(room)),
    );

    expect(upward).toEqual([]);
  });

  test('have no circle between their files', () => {
    const done = new Set<string>();
    const circles = [...imports.keys()].map((file) => findCircle(file, [], done).join(' → '));

    expect(imports.size).toBeGreaterThan(100);
    expect(circles.filter(Boolean)).toEqual([]);
  });
});

test('explain/ uses nothing but hashes and RSA: others import it too', () => {
  const outside = [...imports]
    .filter(([file]) => roomOf(file) === 'explain')
    .flatMap(([, targets]) => targets.filter((to) => !to.startsWith('simulator/explain/')));

  expect(new Set(outside)).toEqual(new Set(['node:crypto']));
});
