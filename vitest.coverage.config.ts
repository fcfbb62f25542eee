/**
 * Coverage of production code by the tests of its own rooms alone: what only a whole payment
 * happens to run counts as not covered. A test that is deleted fails this.
 */
import { defineConfig } from 'vitest/config';

const ALL = { statements: 100, branches: 100, functions: 100, lines: 100 };

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/{page,phone,flows,local,simulator,miniprogram,repo,deploy}/**',
      // Over the network of a running stack.
      'test/contract/**',
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['lib/**', 'functions/**'],
      reporter: ['text'],
      thresholds: { 'lib/**': ALL },
    },
  },
});
