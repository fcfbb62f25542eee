import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageVariant, type Variant, VARIANTS } from './variants.ts';

interface Finding {
  readonly Filename: string;
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Location: { readonly Path: readonly (string | number)[] };
}

/** The framework names dependencies that a reference says already. */
const HARMLESS = 'W3005';

/** One process for all templates of a region: most of its time is its start. */
function lint(templates: readonly string[], region: string): Promise<Finding[]> {
  const program = process.env['CFN_LINT'] ?? 'cfn-lint';
  return new Promise((resolve, reject) => {
    execFile(
      program,
      ['--format', 'json', '--regions', region, '--template', ...templates],
      { maxBuffer: 64 * 1024 * 1024 },
      // It ends with another status when it found something.
      (error, stdout) => {
        if (error && !stdout.trim()) {
          reject(error);
          return;
        }
        resolve(JSON.parse(stdout || '[]'));
      },
    );
  });
}

const packaged = new Map<Variant, Awaited<ReturnType<typeof packageVariant>>>();
const findings: Finding[] = [];

const pathOf = (variant: Variant) =>
  join(packaged.get(variant)?.directory ?? '', 'cloudformation-template-update-stack.json');

beforeAll(async () => {
  for (const variant of VARIANTS) {
    packaged.set(variant, await packageVariant(variant));
  }
  for (const region of new Set(VARIANTS.map((variant) => variant.region))) {
    const ofRegion = VARIANTS.filter((variant) => variant.region === region);
    findings.push(...(await lint(ofRegion.map(pathOf), region)));
  }
}, 900_000);

afterAll(() => {
  for (const { remove } of packaged.values()) {
    remove();
  }
});

test.each(VARIANTS)('cfn-lint finds nothing in the template of $name', (variant) => {
  const found = findings.filter(({ Filename }) => Filename === pathOf(variant));
  const told = found
    .filter(({ Rule }) => Rule.Id !== HARMLESS)
    .map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path.join('/')}: ${Message}`);

  // It looked: of what is harmless there is always some.
  expect(found.length).toBeGreaterThan(0);
  expect(told).toEqual([]);
});
