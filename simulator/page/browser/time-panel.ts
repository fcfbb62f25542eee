/** The stack's clock, reconcile by hand, and what happens to the current order in time. */
import { local, simulator } from './backend.ts';
import { element, find } from './dom.ts';
import type { Row } from './rows.ts';
import { duration, text } from './texts.ts';

const STEPS_SECONDS = [30, 60, 300, 3600];

export interface ClockReading {
  readonly now: string;
  readonly offsetSeconds: number;
}

export interface TimeActions {
  /** Says what a button does, and what went wrong. */
  say(message: string): void;
  currentRow(): Row | undefined;
  onClock(offsetMs: number): void;
}

export class TimePanel {
  readonly #actions: TimeActions;
  #offsetMs = 0;

  constructor(actions: TimeActions) {
    this.#actions = actions;
    setInterval(() => this.#showTime(), 500);
  }

  draw(): void {
    find('#time-actions', HTMLElement).replaceChildren(
      ...STEPS_SECONDS.map((seconds) =>
        this.#button(text('advance', { time: duration(seconds) }), text('advanceHelp'), () =>
          this.advance(seconds),
        ),
      ),
      this.#button(text('reconcileNow'), text('reconcileHelp'), reconcile),
    );
    find('#order-actions', HTMLElement).replaceChildren(
      this.#button(text('expire'), text('expireHelp'), () => this.#expire()),
      this.#button(text('payAfterClose'), text('payAfterCloseHelp'), () => this.#payAfterClose()),
    );
    this.#showTime();
  }

  show(reading: ClockReading): void {
    this.#setOffset(reading);
  }

  #button(label: string, help: string, run: () => Promise<unknown>): HTMLButtonElement {
    const button = element('button.chip.action', { type: 'button', title: help }, label);
    button.addEventListener('focus', () => this.#actions.say(help));
    button.addEventListener('mouseenter', () => this.#actions.say(help));
    button.addEventListener('click', () => {
      button.disabled = true;
      run()
        .catch((error: unknown) => {
          this.#actions.say(error instanceof Error ? error.message : String(error));
        })
        .finally(() => {
          button.disabled = false;
          button.focus();
        });
    });
    return button;
  }

  /** Moves the clock of all parts. */
  async advance(seconds: number): Promise<void> {
    this.#setOffset(await local<ClockReading>('POST', '/clock', { advanceSeconds: seconds }));
  }

  /** Past the end of the order; the schedule, which follows the clock, closes it. */
  async #expire(): Promise<void> {
    const row = this.#openRow();
    const leftMs = Date.parse(String(row['expiresAt'])) - this.now();
    await this.advance(Math.max(1, Math.ceil(leftMs / 1000) + 1));
    await reconcile();
  }

  async #payAfterClose(): Promise<void> {
    const row = this.#openRow();
    await this.#expire();
    const number = encodeURIComponent(String(row['outTradeNo']));
    await simulator('POST', `/orders/${number}/pay`, { evenIfClosed: true });
  }

  #openRow(): Row {
    const row = this.#actions.currentRow();
    if (row?.tradeState !== 'NOTPAY') {
      throw new Error(text('needsOpenOrder'));
    }
    return row;
  }

  /** On the clock of all parts. */
  now = () => Date.now() + this.#offsetMs;

  #setOffset({ offsetSeconds }: ClockReading): void {
    this.#offsetMs = offsetSeconds * 1000;
    this.#actions.onClock(this.#offsetMs);
    this.#showTime();
  }

  #showTime(): void {
    const time = new Date(this.now()).toTimeString().slice(0, 8);
    find('#stack-time', HTMLElement).textContent = time;
    const ahead = Math.round(this.#offsetMs / 1000);
    find('#stack-ahead', HTMLElement).textContent =
      ahead === 0 ? '' : `(${text('ahead', { time: duration(ahead) })})`;
  }
}

const reconcile = () => local('POST', '/invoke/reconcile', {});
