/** A network and a WeChat that do to refunds whatever can be done to them, and chance to go with it. */

/** Fault wishes of the simulator's control API. */
export const FAULTS = [
  { point: 'refund', kind: 'drop', rate: 0.06 },
  { point: 'refund', kind: 'cut', rate: 0.1 },
  { point: 'refund', kind: 'truncated', rate: 0.05 },
  { point: 'refund', kind: 'tamper', rate: 0.04 },
  { point: 'refund', kind: 'html', status: 502, rate: 0.03 },
  { point: 'refund', kind: 'late', seconds: 0.3, rate: 0.05 },
  { point: 'refund', kind: 'wrong-amount', rate: 0.02 },
  { point: 'refund', kind: 'error', code: 'SYSTEM_ERROR', rate: 0.05 },
  { point: 'refund', kind: 'error', code: 'FREQUENCY_LIMITED', rate: 0.03 },
  { point: 'refund', kind: 'error', code: 'USER_ACCOUNT_ABNORMAL', rate: 0.04 },
  { point: 'refund', kind: 'error', code: 'NO_AUTH', rate: 0.02 },
  { point: 'refund', kind: 'error', code: 'NOT_ENOUGH', rate: 0.004 },
  { point: 'refundquery', kind: 'drop', rate: 0.06 },
  { point: 'refundquery', kind: 'cut', rate: 0.06 },
  { point: 'refundquery', kind: 'tamper', rate: 0.04 },
  { point: 'refundquery', kind: 'late', seconds: 0.3, rate: 0.04 },
  { point: 'refundquery', kind: 'wrong-amount', rate: 0.02 },
  { point: 'refundquery', kind: 'error', code: 'SYSTEM_ERROR', rate: 0.06 },
  { point: 'notify', kind: 'lost', rate: 1 / 3 },
  { point: 'notify', kind: 'duplicate', rate: 0.15 },
  { point: 'notify', kind: 'reorder', seconds: 90, rate: 0.1 },
];

/** The same numbers in every run (mulberry32). */
export function openDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
