/** What `bill` is called with: nothing but the schedule's event, or what somebody wants. */
import { InvalidRequestError } from '../errors.ts';

export interface BillWish {
  readonly date: string;
  /** Explains a difference of that day instead of checking it. */
  readonly explain?: Explanation | undefined;
  /** Only tells the day's last result. */
  readonly show: boolean;
  /** All differences too, as the text of a table. */
  readonly csv: boolean;
}

export interface Explanation {
  readonly kind: string;
  /** WeChat's number of the payment, or ours of the refund. */
  readonly number: string;
  /** Of a line that is there more than once. */
  readonly line?: number | undefined;
  readonly note: string;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const MAX_NOTE_LENGTH = 500;

/**
 * @returns nothing for the schedule, whose event says nothing about a day.
 * @throws {InvalidRequestError} for a wish that cannot be understood.
 */
export function readWish(event: unknown): BillWish | undefined {
  if (!isFields(event) || event['date'] === undefined) {
    return undefined;
  }
  const { date, show, explain, format } = event;
  return {
    date: textOf('date', date, 10),
    show: show === true,
    csv: isCsv(format),
    explain: explain === undefined ? undefined : explanationOf(explain),
  };
}

function isCsv(format: unknown): boolean {
  if (format !== undefined && format !== 'json' && format !== 'csv') {
    throw new InvalidRequestError('INVALID_REQUEST', { field: 'format' });
  }
  return format === 'csv';
}

function explanationOf(value: unknown): Explanation {
  const { kind, number, line, note } = isFields(value) ? value : {};
  return {
    kind: textOf('explain.kind', kind, 64),
    number: textOf('explain.number', number, 64),
    line: typeof line === 'number' ? line : undefined,
    note: textOf('explain.note', note, MAX_NOTE_LENGTH),
  };
}

function textOf(field: string, value: unknown, maxLength: number): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
    throw new InvalidRequestError('INVALID_REQUEST', { field });
  }
  return value;
}
