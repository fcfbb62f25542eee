import { defineConfig } from 'vitest/config';
import './build/require-node.mjs';
import { keepLoopbackDirect } from './local/loopback.ts';

// Before the workers start, which have this environment and give it to what they start.
keepLoopbackDirect();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // In a Chromium: vitest.page.config.ts; with an emulated AWS: vitest.cloudformation.config.ts.
    exclude: ['test/page/**', 'test/cloudformation/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // `.ci/run` counts the tests of the run from this file.
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: '.build/test-results.json' },
  },
});
