/** The part of the control API about trade bills: plant differences in a day's bill, look at it. */
import { startOfDay } from '../book/bill/bill-day.ts';
import { BILL_LAYOUTS } from '../book/bill/bill-layout.ts';
import { type BillChange, type BillPlan, isInBill } from '../book/bill/bill-plan.ts';
import type { BillRow } from '../book/bill/bill-rows.ts';
import type { Request } from '../host/http.ts';
import type { Wechat } from '../wechat.ts';
import { type Body, ControlError, readNumber, readText, refuseUnknownFields } from './input.ts';

const FLAGS = ['bom', 'gzip', 'truncate', 'wrongSum', 'wrongHash'] as const;
export const BILL_FIELDS = ['date', 'alter', 'layout', ...FLAGS];

const NUMBERS = ['outTradeNo', 'outRefundNo'];
const CHANGE_FIELDS = [
  ...NUMBERS,
  'fen',
  'remove',
  'repeat',
  'nextDay',
  'tradeState',
  'appid',
  'mchid',
  'subMchid',
  'transactionId',
  'feeFen',
  'rate',
];
const MAX_CHANGES = 1000;
/** So many rows of a bill are shown. */
const SHOWN_ROWS = 200;

const invalid = (rule: string) => new ControlError(400, 'INVALID_FIELD', rule);

function readDate(value: unknown): string {
  if (typeof value !== 'string' || startOfDay(value) === undefined) {
    throw invalid('"date" must be a day in Beijing, such as "2026-11-24"');
  }
  return value;
}

/** In the place of all that was planted for that day; an empty `alter` alone makes the bill honest again. */
export function plantBill(wechat: Wechat, body: Body) {
  const date = readDate(body['date']);
  const { alter = [] } = body;
  if (!Array.isArray(alter) || alter.length > MAX_CHANGES) {
    throw invalid(`"alter" must be a list of up to ${MAX_CHANGES}`);
  }
  const rows = wechat.bills.honestRows(date);
  const plan: BillPlan = {
    ...readLayout(body['layout']),
    ...Object.fromEntries(FLAGS.flatMap((name) => readFlag(body, name)).filter(saysSomething)),
    alter: alter.map((one: unknown) => readChange(one, rows)),
  };
  const isHonest = Object.keys(plan).length === 1 && plan.alter.length === 0;
  wechat.bills.plant(date, isHonest ? undefined : plan);
  return describePlan(date, plan);
}

/** Of all flags only an answer that is not compressed is something without being on. */
const saysSomething = ([name, value]: readonly [string, boolean]) => value || name === 'gzip';

const describePlan = (date: string, plan: BillPlan) => ({ date, ...plan });

function readLayout(value: unknown): Pick<BillPlan, 'layout'> {
  const layout = BILL_LAYOUTS.find((one) => one === value);
  if (value !== undefined && layout === undefined) {
    throw invalid(`"layout" must be one of ${BILL_LAYOUTS.join(', ')}`);
  }
  return layout === undefined ? {} : { layout };
}

function readFlag(body: Body, name: string): [string, boolean][] {
  const value = body[name];
  if (value !== undefined && typeof value !== 'boolean') {
    throw invalid(`"${name}" must be true or false`);
  }
  return value === undefined ? [] : [[name, value]];
}

function readChange(value: unknown, rows: readonly BillRow[]): BillChange {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('each of "alter" must be an object');
  }
  const body = value as Body;
  refuseUnknownFields(body, CHANGE_FIELDS);
  const change = readFields(body);
  const { outTradeNo, outRefundNo, fen } = change;
  if (outTradeNo === undefined && outRefundNo === undefined) {
    throw new ControlError(400, 'MISSING_FIELD', '"outTradeNo" or "outRefundNo" is needed');
  }
  if (fen === undefined && !isInBill(change, rows)) {
    const text = `that day's bill has no ${outRefundNo ?? outTradeNo}; "fen" adds a row of this number`;
    throw new ControlError(404, 'ROW_NOT_FOUND', text);
  }
  return change;
}

const isNumber = (text: string) => /^[\x21-\x7e]{1,64}$/.test(text);
const isId = (text: string) => /^\w{0,64}$/.test(text);
const isRate = (text: string) => /^\d{1,2}\.\d{2}%$/.test(text);
const isFen = (fen: number) => Number.isSafeInteger(fen) && fen >= 0 && fen <= 1e12;
const isFee = (fen: number) => Number.isSafeInteger(fen) && Math.abs(fen) <= 1e12;

const TEXTS: readonly (readonly [string, (text: string) => boolean, string])[] = [
  ['outTradeNo', isNumber, '1 to 64 characters without blanks'],
  ['outRefundNo', isNumber, '1 to 64 characters without blanks'],
  [
    'tradeState',
    (text) => ['SUCCESS', 'REFUND', 'REVOKED'].includes(text),
    'SUCCESS, REFUND or REVOKED',
  ],
  ['appid', isId, 'letters and digits'],
  ['mchid', isId, 'letters and digits'],
  ['subMchid', isId, 'letters and digits, or empty'],
  ['transactionId', isId, 'letters and digits'],
  ['rate', isRate, 'a rate with two decimals, such as 0.60%'],
];

function readFields(body: Body): BillChange {
  const texts = TEXTS.map(([name, isGood, rule]) => [name, readText(body, name, isGood, rule)]);
  const fields = [
    ...texts,
    ['fen', readNumber(body, 'fen', isFen, 'a whole number of fen')],
    ['feeFen', readNumber(body, 'feeFen', isFee, 'a whole number of fen')],
    ['repeat', readRepeat(body['repeat'])],
    ['remove', readTrue(body, 'remove')],
    ['nextDay', readTrue(body, 'nextDay')],
  ];
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as BillChange;
}

/** False is the same as nothing. */
function readTrue(body: Body, name: string): true | undefined {
  return readFlag(body, name)[0]?.[1] ? true : undefined;
}

/** `true` is one more. */
function readRepeat(value: unknown): number | undefined {
  if (value === undefined || value === false) {
    return undefined;
  }
  const times = value === true ? 1 : value;
  if (!Number.isInteger(times) || Number(times) < 1 || Number(times) > 100) {
    throw invalid('"repeat" must be true, or how often more the row is there, from 1 to 100');
  }
  return Number(times);
}

/** All that is planted; with `?date=` also that day's bill as it would come now. */
export function showBill(wechat: Wechat, _body: Body, _part: string, { query }: Request) {
  refuseUnknownFields(Object.fromEntries(query), ['date']);
  const { bills } = wechat;
  const planted = [...bills.plans()].map(([date, plan]) => describePlan(date, plan));
  if (!query.has('date')) {
    return { planted };
  }
  const date = readDate(query.get('date'));
  const file = bills.write({ date, type: 'ALL', gzip: false });
  return {
    date,
    state: bills.stateOf(date),
    planted: planted.filter((one) => one.date === date),
    rowCount: file?.rows.length ?? 0,
    sha1: file?.sha1 ?? null,
    rows: (file?.rows ?? []).slice(0, SHOWN_ROWS),
    honestRows: bills.honestRows(date).slice(0, SHOWN_ROWS),
  };
}

/** Every bill is what the book says. */
export function forgetBills({ bills }: Wechat) {
  bills.clear();
  return {};
}
