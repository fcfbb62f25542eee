import { defineConfig } from 'vitest/config';
import './build/require-node.mjs';
import { keepLoopbackDirect } from './local/loopback.ts';

// Before the workers start, which have this environment and give it to what they start.
keepLoopbackDirect();

/** The page in a real Chromium: apart from `npm test`, which must pass where there is none. */
export default defineConfig({
  test: {
    include: ['test/page/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: '.build/page-test-results.json' },
  },
});
