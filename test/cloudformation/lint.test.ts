import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageVariant, VARIANTS } from './variants.ts';

interface Finding {
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Location: { readonly Path: readonly (string | number)[] };
}

/** The framework names dependencies that a reference says already. */
const HARMLESS = 'W3005';

function lint(template: string, region: string): Promise<Finding[]> {
  const program = process.env['CFN_LINT'] ?? 'cfn-lint';
  return new Promise((resolve, reject) => {
    execFile(
      program,
      ['--format', 'json', '--regions', region, '--template', template],
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

test.each(VARIANTS)('cfn-lint finds nothing in the template of $name', async (variant) => {
  const { directory, remove } = await packageVariant(variant);
  try {
    const findings = await lint(
      join(directory, 'cloudformation-template-update-stack.json'),
      variant.region,
    );
    const told = findings
      .filter(({ Rule }) => Rule.Id !== HARMLESS)
      .map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path.join('/')}: ${Message}`);

    // It looked: of what is harmless there is always some.
    expect(findings.length).toBeGreaterThan(0);
    expect(told).toEqual([]);
  } finally {
    remove();
  }
});
