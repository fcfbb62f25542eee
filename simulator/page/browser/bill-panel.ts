/** A day's bill: what WeChat has, what the check of it found, and how to make the two disagree. */
import { local, simulator } from './backend.ts';
import {
  type BillResult,
  type BillView,
  type Difference,
  type Plan,
  planOf,
  withoutChange,
} from './bill-data.ts';
import { showResult } from './bill-result.ts';
import { showRows } from './bill-rows.ts';
import { find } from './dom.ts';
import { keepingPlace } from './place.ts';
import { text } from './texts.ts';

const DAY_MS = 86_400_000;
const BEIJING_MS = 8 * 3_600_000;
/** The schedule's own time: 10:30 of the next day. */
const READY_AFTER_MS = 34.5 * 3_600_000;

export interface BillClock {
  /** On the clock of all parts. */
  now(): number;
  advance(seconds: number): Promise<void>;
}

export class BillPanel {
  readonly #clock: BillClock;
  readonly #panel = find('#bill-panel', HTMLElement);
  readonly #date = find('#bill-date', HTMLInputElement);
  readonly #state = find('#bill-state', HTMLElement);
  readonly #wait = find('#bill-wait', HTMLButtonElement);
  readonly #check = find('#bill-check', HTMLButtonElement);
  readonly #view = find('#bill-view', HTMLElement);
  #bill: BillView | undefined;
  #result: BillResult | undefined;
  #drawn = '';
  #last = Promise.resolve();
  #waiting = 0;

  constructor(clock: BillClock) {
    this.#clock = clock;
    find('#bill', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#do(() => this.#checkDay());
    });
    this.#date.addEventListener('change', () => this.#do(() => this.#open()));
    for (const [id, days] of [
      ['#bill-before', -1],
      ['#bill-after', 1],
    ] as const) {
      find(id, HTMLButtonElement).addEventListener('click', () => {
        this.#date.value = dayOf(startOf(this.#date.value) + days * DAY_MS);
        this.#do(() => this.#open());
      });
    }
    this.#wait.addEventListener('click', () => this.#do(() => this.#waitForBill()));
    find('#tab-bill', HTMLElement).addEventListener('click', () => this.#do(() => this.#open()));
  }

  /** Follows what is paid and planted while the panel is seen. */
  async refresh(): Promise<void> {
    if (!this.#panel.hidden) {
      await (this.#date.value === '' ? this.#open() : this.#read());
    }
  }

  draw(): void {
    const bill = this.#bill;
    if (!bill) {
      return;
    }
    this.#state.textContent = describeState(bill);
    this.#wait.hidden = bill.state !== 'NOT_OVER' && bill.state !== 'CREATING';
    this.#wait.textContent = text('billWait', { date: dayOf(startOf(bill.date) + DAY_MS) });
    const actions = {
      plant: (plan: Plan) => this.#do(() => this.#plant(plan)),
      putRight: (difference: Difference) =>
        this.#do(() => this.#plant(withoutChange(planOf(bill), difference))),
      explain: (difference: Difference, note: string) =>
        this.#do(() => this.#explain(difference, note)),
    };
    keepingPlace(this.#view, this.#check, () => {
      const result = this.#result?.date === bill.date ? this.#result : undefined;
      this.#view.replaceChildren(showResult(bill, result, actions), showRows(bill, actions.plant));
    });
  }

  /** Today's, unless another day was chosen; with the last result of that day. */
  async #open(): Promise<void> {
    this.#date.value ||= dayOf(this.#clock.now());
    await this.#read();
    await this.#invoke({ show: true });
  }

  async #read(): Promise<void> {
    const date = this.#date.value;
    const bill = await simulator<BillView>('GET', `/bill?date=${encodeURIComponent(date)}`);
    const drawn = JSON.stringify(bill);
    if (date === this.#date.value && drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#bill = bill;
      this.draw();
    }
  }

  async #checkDay(): Promise<void> {
    await this.#read();
    await this.#invoke({});
  }

  async #invoke(event: object): Promise<void> {
    const date = this.#date.value;
    this.#result = await local<BillResult>('POST', '/invoke/bill', { date, ...event });
    this.draw();
  }

  async #plant(plan: Plan): Promise<void> {
    await simulator('POST', '/bill', { ...plan, date: this.#date.value });
    await this.#checkDay();
  }

  async #explain({ kind, line, ...difference }: Difference, note: string): Promise<void> {
    const number = difference.outRefundNo ?? difference.transactionId;
    await this.#invoke({ explain: { kind, number, line, note } });
  }

  async #waitForBill(): Promise<void> {
    const leftMs = startOf(this.#date.value) + READY_AFTER_MS - this.#clock.now();
    await this.#clock.advance(Math.max(0, Math.ceil(leftMs / 1000)));
    await this.#read();
    this.#check.focus();
  }

  /** One thing after the other; what goes wrong is said where the state of the day is. */
  #do(run: () => Promise<void>): void {
    this.#waiting += 1;
    this.#panel.setAttribute('aria-busy', 'true');
    this.#last = this.#last
      .then(run)
      .catch((error: unknown) => {
        this.#state.textContent = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        this.#waiting -= 1;
        this.#panel.setAttribute('aria-busy', String(this.#waiting > 0));
      });
  }
}

function describeState({ state, rowCount, honestRows }: BillView): string {
  return state === 'READY' && rowCount === 0 && honestRows.length === 0
    ? text('billNothing')
    : text(`bill${state}`, { count: rowCount });
}

/** `2026-11-24` in Beijing. */
const dayOf = (epochMs: number) => new Date(epochMs + BEIJING_MS).toISOString().slice(0, 10);
const startOf = (date: string) => Date.parse(`${date}T00:00:00+08:00`);
