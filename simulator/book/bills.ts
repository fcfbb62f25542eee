/** Trade bills (交易账单) as WeChat has them: one per day, made of the book and of what was planted in it. */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import { type BillDayState, dayAfter, judgeBillDay, startOfDay } from './bill/bill-day.ts';
import type { BillType } from './bill/bill-layout.ts';
import { type BillPlan, listMoved, NO_PLAN, plantDifferences } from './bill/bill-plan.ts';
import { type BillRow, type Ledger, readBillRows } from './bill/bill-rows.ts';
import { writeBill } from './bill/bill-text.ts';
import type { Book } from './book.ts';
import { type Clock, formatBeijingForPeople } from './clock.ts';

/** So long a link to a file is good, on WeChat's clock. */
const LINK_LIFETIME_MS = 5 * 60 * 1000;
/** Rows that nobody paid happen at noon. */
const NOON_MS = 12 * 3600 * 1000;

/** `wrong-amount`: one fen more in the first row. `wrong-merchant`: every row is another merchant's. */
export type BillFalsehood = 'wrong-amount' | 'wrong-merchant';

export interface BillOrder {
  readonly date: string;
  readonly type: BillType;
  /** Of one sub-merchant; undefined: of all. */
  readonly subMchid?: string | undefined;
  readonly gzip: boolean;
  readonly falsehood?: BillFalsehood;
}

export interface BillFile {
  readonly order: BillOrder;
  readonly rows: readonly BillRow[];
  readonly text: Buffer;
  /** Of the text, in lower-case hex. */
  readonly sha1: string;
  /** Whether it is to be sent compressed. */
  readonly gzip: boolean;
  readonly plan: BillPlan;
}

export interface Bills {
  /** What is planted, by day. */
  plans(): ReadonlyMap<string, BillPlan>;
  planOf(date: string): BillPlan;
  /** In the place of what was planted for that day; undefined: nothing is. */
  plant(date: string, plan: BillPlan | undefined): void;
  clear(): void;
  stateOf(date: string): BillDayState;
  /** The rows as the book has them, before anything is planted. */
  honestRows(date: string): BillRow[];
  /** Undefined: there is no bill, because nothing happened on that day. */
  write(order: BillOrder): BillFile | undefined;
  /** A token for the file as it is now, whatever is planted later. */
  issueLink(file: BillFile): string;
  /** Undefined: the token is over, or never was. */
  openLink(token: string): BillFile | undefined;
}

const META = 'bill_plans';

const isOfType = (row: BillRow, type: BillType) =>
  type === 'ALL' || (row.tradeState === 'REFUND') === (type === 'REFUND');

export function createBills(
  book: Book,
  clock: Clock,
  ledger: Ledger,
  randomBytes: RandomBytes,
): Bills {
  const plans = new Map(
    Object.entries(JSON.parse(book.readMeta(META) ?? '{}') as Record<string, BillPlan>),
  );
  const links = new Map<string, { readonly file: BillFile; readonly endsAtMs: number }>();
  const save = () => book.writeMeta(META, JSON.stringify(Object.fromEntries(plans)));
  const planOf = (date: string) => plans.get(date) ?? NO_PLAN;
  const honestRows = (date: string) => {
    const dayBefore = dayAfter(date, -1);
    const planBefore = planOf(dayBefore);
    // The book of the day before is read only where something of it was moved.
    const moved = planBefore.alter.some(({ nextDay }) => nextDay)
      ? listMoved(readBillRows(ledger, dayBefore), planBefore, dayBefore)
      : [];
    return [...moved, ...readBillRows(ledger, date)];
  };
  const commonOf = (date: string): Partial<BillRow> => {
    const { appid, mchid } = ledger.account.current();
    const subMchid = ledger.account.subMerchants()[0]?.subMchid ?? '';
    const time = formatBeijingForPeople((startOfDay(date) ?? 0) + NOON_MS);
    return { appid, mchid, subMchid, time, rate: ledger.account.feeRate() };
  };

  return {
    plans: () => plans,
    planOf,
    plant(date, plan) {
      if (plan) {
        plans.set(date, plan);
      } else {
        plans.delete(date);
      }
      save();
    },
    clear() {
      plans.clear();
      links.clear();
      save();
    },
    stateOf: (date) => judgeBillDay(date, clock.now()),
    honestRows,
    write(order) {
      const { date, type, subMchid } = order;
      const plan = planOf(date);
      const isAsked = (row: BillRow) =>
        isOfType(row, type) && (subMchid === undefined || row.subMchid === subMchid);
      const honest = honestRows(date);
      const planted = plantDifferences(honest, plan, commonOf(date)).filter(isAsked);
      // Of a day on which all was taken out there is a bill without rows.
      return planted.length > 0 || honest.some(isAsked)
        ? describeFile(order, falsify(planted, order.falsehood), plan)
        : undefined;
    },
    issueLink(file) {
      const nowMs = clock.now();
      for (const [token, { endsAtMs }] of links) {
        if (endsAtMs <= nowMs) {
          links.delete(token);
        }
      }
      const token = randomBytes(48).toString('base64url');
      links.set(token, { file, endsAtMs: nowMs + LINK_LIFETIME_MS });
      return token;
    },
    openLink(token) {
      const link = links.get(token);
      return link && clock.now() < link.endsAtMs ? link.file : undefined;
    },
  };
}

function describeFile(order: BillOrder, rows: readonly BillRow[], plan: BillPlan): BillFile {
  const { layout = 'new', bom = false, gzip = order.gzip } = plan;
  const text = writeBill(rows, { type: order.type, layout, bom }, plan);
  const sha1 = createHash('sha1').update(text).digest('hex');
  return { order, rows, text, sha1, gzip, plan };
}

function falsify(rows: BillRow[], falsehood: BillFalsehood | undefined): BillRow[] {
  switch (falsehood) {
    case 'wrong-amount':
      return rows.map((row, index) => (index === 0 ? addFen(row) : row));
    case 'wrong-merchant':
      return rows.map((row) => ({ ...row, mchid: flipLast(row.mchid) }));
    default:
      return rows;
  }
}

const flipLast = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');

const addFen = (row: BillRow): BillRow =>
  row.tradeState === 'REFUND'
    ? {
        ...row,
        requestedRefundFen: row.requestedRefundFen + 1,
        settledRefundFen: row.settledRefundFen + 1,
      }
    : { ...row, orderedFen: row.orderedFen + 1, settledFen: row.settledFen + 1 };
