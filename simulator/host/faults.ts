/** Faults that a test asks for: which, where, how often. A seed makes the same run fail the same way again. */
import { createHash } from 'node:crypto';
import type { Clock } from '../book/clock.ts';

const API_KINDS = [
  'error',
  'timeout-before',
  'timeout-after',
  'drop',
  'late',
  'html',
  'truncated',
  'cut',
] as const;
const SIGNED_ANSWER_KINDS = [...API_KINDS, 'tamper', 'wrong-merchant', 'probe'] as const;

/** What `tamper` alters in a v3 notification. */
export const TAMPER_PARTS = ['body', 'ciphertext', 'tag', 'signature'] as const;
export type TamperPart = (typeof TAMPER_PARTS)[number];

/** What each point can do wrong. What is missing here makes no sense there and is refused. */
export const POSSIBLE_FAULTS = {
  notify: [
    'lost',
    'late',
    'duplicate',
    'reorder',
    'tamper',
    'wrong-amount',
    'wrong-merchant',
    'timeout-after',
    'drop',
    'probe',
  ],
  unifiedorder: SIGNED_ANSWER_KINDS,
  orderquery: [...SIGNED_ANSWER_KINDS, 'wrong-amount'],
  closeorder: SIGNED_ANSWER_KINDS,
  refund: [...SIGNED_ANSWER_KINDS, 'wrong-amount'],
  refundquery: [...SIGNED_ANSWER_KINDS, 'wrong-amount'],
  downloadbill: [...SIGNED_ANSWER_KINDS, 'wrong-amount'],
  billdownload: [...API_KINDS, 'tamper'],
  certificates: [...API_KINDS, 'tamper', 'probe'],
  code2session: API_KINDS,
  host: ['down'],
} as const;

/** Names of API v3 for points that both versions have. */
const OTHER_NAMES: Readonly<Record<string, FaultPoint>> = { tradebill: 'downloadbill' };

export type FaultPoint = keyof typeof POSSIBLE_FAULTS;
export type FaultKind = (typeof POSSIBLE_FAULTS)[FaultPoint][number];

export interface Fault {
  readonly id: string;
  readonly point: FaultPoint;
  readonly kind: FaultKind;
  /** Share of the chances that are hit, 0 to 1. */
  readonly rate: number;
  /** Hits that are left; absent: without end. */
  times?: number;
  /** For `late`, `reorder` and `duplicate` the delay; for the others how long the fault lasts on WeChat's clock. */
  readonly seconds?: number;
  readonly code?: string;
  readonly part?: TamperPart;
  /** Of `error`: false for an answer without signature. */
  readonly signed?: boolean;
  /** Of `error`: WeChat's text for people. */
  readonly text?: string;
  /** Of `error` in v3: what stands under `detail`, whatever it is; absent: nothing does. */
  readonly detail?: unknown;
  /** Of `html`: the HTTP status. */
  readonly status?: number;
  hits: number;
  chances: number;
  readonly endsAtMs?: number;
}

export interface Faults {
  add(wish: FaultWish): Fault;
  list(): Fault[];
  remove(id: string): boolean;
  clear(): void;
  /** The first fault that hits this chance, if one does. `isPossible` leaves faults alone that could do nothing here. */
  take(
    point: FaultPoint,
    isPossible?: (kind: FaultKind, part?: TamperPart) => boolean,
  ): Fault | undefined;
}

export interface FaultWish
  extends Partial<
    Pick<
      Fault,
      'rate' | 'times' | 'seconds' | 'code' | 'part' | 'signed' | 'text' | 'detail' | 'status'
    >
  > {
  point: string;
  kind: string;
}

/** A wish that cannot be granted; `code` is stable. */
export class FaultRefusedError extends Error {
  readonly code: 'UNKNOWN_FAULT_POINT' | 'FAULT_NOT_POSSIBLE';

  constructor(code: FaultRefusedError['code'], message: string) {
    super(message);
    this.name = 'FaultRefusedError';
    this.code = code;
  }
}

const HINTS: Record<string, string> = {
  'notify/timeout-before': 'a notification that never reaches the merchant is "lost"',
  'notify/error': 'WeChat notifies only payments that succeeded',
  'unifiedorder/lost': 'use "timeout-before" or "timeout-after"',
  'orderquery/lost': 'use "timeout-before" or "timeout-after"',
  'closeorder/lost': 'use "timeout-before" or "timeout-after"',
  'refund/lost': 'use "timeout-before" or "timeout-after"',
  'refundquery/lost': 'use "timeout-before" or "timeout-after"',
  'downloadbill/lost': 'use "timeout-before" or "timeout-after"',
  'billdownload/probe': 'the file carries no signature',
  'refund/duplicate': 'a notification is doubled at notify; a call is repeated by the merchant',
  'code2session/tamper': 'the answer of code2session carries no signature',
};

function assertPossible({ point, kind }: FaultWish): void {
  if (!Object.hasOwn(POSSIBLE_FAULTS, point)) {
    const points = Object.keys(POSSIBLE_FAULTS).join(', ');
    throw new FaultRefusedError('UNKNOWN_FAULT_POINT', `no fault point "${point}": ${points}`);
  }
  const kinds: readonly string[] = POSSIBLE_FAULTS[point as FaultPoint];
  if (!kinds.includes(kind)) {
    const hint = HINTS[`${point}/${kind}`];
    throw new FaultRefusedError(
      'FAULT_NOT_POSSIBLE',
      `"${kind}" is not possible at ${point}${hint ? ` (${hint})` : ''}: ${kinds.join(', ')}`,
    );
  }
}

const DELAYING: ReadonlySet<string> = new Set(['late', 'reorder', 'duplicate']);

/** Chance number n of one fault: the same number for the same seed, whatever else happens in between. */
function drawNumber(seed: string, fault: Fault): number {
  const text = `${seed}|${fault.point}|${fault.kind}|${fault.chances}`;
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

export function createFaults(seed: string, clock: Clock): Faults {
  let faults: Fault[] = [];
  let created = 0;
  const isAlive = (fault: Fault) =>
    fault.times !== 0 && (fault.endsAtMs === undefined || clock.now() < fault.endsAtMs);

  return {
    add(asked) {
      const point = Object.hasOwn(OTHER_NAMES, asked.point)
        ? String(OTHER_NAMES[asked.point])
        : asked.point;
      const wish = { ...asked, point };
      assertPossible(wish);
      created += 1;
      const { seconds } = wish;
      const ends = seconds !== undefined && !DELAYING.has(wish.kind);
      const fault: Fault = {
        rate: 1,
        ...wish,
        id: `fault-${created}`,
        point: wish.point as FaultPoint,
        kind: wish.kind as FaultKind,
        hits: 0,
        chances: 0,
        ...(ends ? { endsAtMs: clock.now() + seconds * 1000 } : {}),
      };
      faults.push(fault);
      return fault;
    },
    list: () => faults.filter(isAlive),
    remove(id) {
      const before = faults.length;
      faults = faults.filter((fault) => fault.id !== id);
      return faults.length < before;
    },
    clear() {
      faults = [];
    },
    take(point, isPossible = () => true) {
      faults = faults.filter(isAlive);
      for (const fault of faults) {
        if (fault.point !== point || !isPossible(fault.kind, fault.part)) {
          continue;
        }
        fault.chances += 1;
        if (drawNumber(seed, fault) < fault.rate) {
          fault.hits += 1;
          if (fault.times !== undefined) {
            fault.times -= 1;
          }
          return fault;
        }
      }
      return undefined;
    },
  };
}
