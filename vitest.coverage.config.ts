/**
 * Coverage of production code by the tests of its own rooms alone: what only a whole payment
 * happens to run counts as not covered. A test that is deleted fails this.
 */
import { defineConfig } from 'vitest/config';

const ALL = { statements: 100, branches: 100, functions: 100, lines: 100 };
/**
 * Everything is covered here, too, but V8 at times counts a branch behind an `await` as not taken
 * when many processes are put together: so many pieces of a room may be missing, however large it
 * is. A test that is deleted leaves more.
 */
const ALL_BUT_NOISE = { statements: -3, branches: -5, functions: -2, lines: -3 };

/** Each room by itself: a large one does not make up for a small one. */
const each = (rooms: readonly string[], thresholds: typeof ALL) =>
  Object.fromEntries(rooms.map((room) => [`lib/${room}/**`, thresholds]));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/{page,phone,flows,local,simulator,miniprogram,repo,deploy,cloudformation,setup,ops,examples}/**',
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
      thresholds: {
        ...each(['bill', 'order', 'refund'], ALL),
        ...each(
          [
            'checkout',
            'daily-bill',
            'evidence',
            'events',
            'http',
            'publish',
            'reconcile',
            'runtime',
          ],
          ALL_BUT_NOISE,
        ),
        ...each(['secrets', 'table', 'transport', 'wechatpay', 'weixin'], ALL_BUT_NOISE),
      },
    },
  },
});
