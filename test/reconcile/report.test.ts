import { expect, test } from 'vitest';
import { reportRun } from '../../lib/reconcile/report.ts';
import type { ReconcileSummary } from '../../lib/reconcile/run.ts';
import { recordingLog } from '../support/recording-log.ts';

const QUIET: ReconcileSummary = {
  due: 0,
  paid: 0,
  closed: 0,
  stillOpen: 0,
  settledMeanwhile: 0,
  refunded: 0,
  refundClosed: 0,
  refundAbnormal: 0,
  mismatched: 0,
  unsettled: 0,
  failed: 0,
  cutOff: 0,
  timeRanOut: false,
  wechatSilent: false,
  backlog: 0,
  oldestDueSeconds: 0,
};

test.each<[string, Partial<ReconcileSummary>, string, object]>([
  ['with nothing to do', {}, 'info', {}],
  ['that finds a payment', { paid: 2 }, 'info', { PaymentFoundByReconcile: 2 }],
  [
    'that falls behind',
    { backlog: 70, oldestDueSeconds: 300, timeRanOut: true },
    'warn',
    { ReconcileBacklog: 70, ReconcileOldestDueSeconds: 300, ReconcileTimeRanOut: 1 },
  ],
  ['that hears nothing', { wechatSilent: true }, 'warn', { ReconcileWechatSilent: 1 }],
  ['that was cut off', { cutOff: 1 }, 'error', {}],
])('a run %s says so in one line and its metrics', (_, part, level, counts) => {
  const log = recordingLog();
  const summary = { ...QUIET, ...part };
  reportRun(log, summary);

  expect(log.counts).toEqual(counts);
  expect(log.lines).toMatchObject([{ level, fields: summary }]);
});
