import { describe, expect, test } from 'vitest';
import { isOverdue, nextQueryAt, sendPauseSeconds } from '../../lib/refund/pace.ts';
import type { WaitingFor } from '../../lib/refund/refund.ts';

const CHECKS = [0, 1, 2, 3, 4, 5, 100];

describe('the pause before WeChat is asked again', () => {
  test.each([
    // After 1 minute, 5, then 10, 20, 30 and every 30.
    ['PROCESSING', [60, 300, 600, 1200, 1800, 1800, 1800]],
    ['PENDING', [60, 120, 300, 600, 1800, 1800, 1800]],
    ['ABNORMAL', CHECKS.map(() => 86_400)],
    ['SUCCESS', CHECKS.map(() => undefined)],
    ['CLOSED', CHECKS.map(() => undefined)],
  ] as const)('of a refund that is %s', (status, pauses) => {
    expect(CHECKS.map((checks) => nextQueryAt(status, checks, 0))).toEqual(pauses);
  });
});

describe('the pause before a refund is sent again', () => {
  test.each<[WaitingFor | undefined, boolean, number[]]>([
    [undefined, false, [60, 120, 300, 600, 1800, 1800, 1800]],
    ['PAUSE', false, [60, 120, 300, 600, 1800, 1800, 1800]],
    [undefined, true, [600, 600, 600, 600, 1800, 1800, 1800]],
    ['CONFIG', false, [300, 300, 300, 600, 1800, 1800, 1800]],
    ['BALANCE', false, CHECKS.map(() => 300)],
  ])('that waits for %s (slower: %s)', (waitingFor, isSlower, pauses) => {
    expect(CHECKS.map((checks) => sendPauseSeconds({ waitingFor, checks }, isSlower))).toEqual(
      pauses,
    );
  });
});

describe('a refund that WeChat processes', () => {
  const at = (beijing: string) => Date.parse(`${beijing}:00+08:00`) / 1000;

  test.each([
    // Monday to Thursday.
    ['2026-03-02T10:00', '2026-03-05T10:00'],
    // Thursday over the weekend to Tuesday.
    ['2026-03-05T23:59', '2026-03-10T23:59'],
    // Friday, Saturday and Sunday to Wednesday.
    ['2026-03-06T00:01', '2026-03-11T00:01'],
    ['2026-03-07T12:00', '2026-03-11T12:00'],
    ['2026-03-08T12:00', '2026-03-11T12:00'],
  ])('since %s is overdue at %s, three working days later', (accepted, overdue) => {
    const refund = { status: 'PROCESSING', acceptedAtEpochSeconds: at(accepted) } as const;

    expect(isOverdue(refund, at(overdue) - 1)).toBe(false);
    expect(isOverdue(refund, at(overdue))).toBe(true);
    expect(isOverdue(refund, at(overdue) + 400 * 86_400)).toBe(true);
  });

  test.each(['PENDING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const)(
    'is the only one that is overdue: %s is not',
    (status) => {
      expect(isOverdue({ status, acceptedAtEpochSeconds: 0 }, at('2026-03-11T00:01'))).toBe(false);
    },
  );

  test('but nobody knows since when is not overdue', () => {
    const refund = { status: 'PROCESSING', acceptedAtEpochSeconds: undefined } as const;

    expect(isOverdue(refund, at('2026-03-11T00:01'))).toBe(false);
  });
});
