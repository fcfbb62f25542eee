/** How the stand-in for EventBridge misbehaves, for whoever tests what then becomes of events. */

export interface BusFaults {
  /** So many of the entries that come next are refused. */
  fail: number;
  /** Every call is answered so much later. */
  slowMs: number;
  /** Every call is answered 503, until this is false again. */
  away: boolean;
}

/** What `POST /_local/events/faults` may say; `redeliver` is the stream's. */
export interface FaultRequest extends Partial<BusFaults> {
  /** So many of the records that were given to the function last are given again. */
  readonly redeliver?: number;
}

const MAX_SLOW_MS = 600_000;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const FIELDS: Readonly<
  Record<keyof FaultRequest, { isValid: (value: unknown) => boolean; rule: string }>
> = {
  fail: { isValid: isCount, rule: 'a whole number of entries' },
  redeliver: { isValid: isCount, rule: 'a whole number of records' },
  slowMs: {
    isValid: (value) => isCount(value) && value <= MAX_SLOW_MS,
    rule: `whole milliseconds, at most ${MAX_SLOW_MS}`,
  },
  away: { isValid: (value) => typeof value === 'boolean', rule: 'true or false' },
};

/** The request, or what is wrong with it in a sentence. */
export function parseFaultRequest(body: unknown): FaultRequest | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return 'the body must be an object such as {"fail":1}';
  }
  for (const [name, value] of Object.entries(body)) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof FaultRequest] : undefined;
    if (field === undefined) {
      return `there is no fault "${name}"; there are: ${Object.keys(FIELDS).join(', ')}`;
    }
    if (!field.isValid(value)) {
      return `${name} must be ${field.rule}`;
    }
  }
  return body;
}
