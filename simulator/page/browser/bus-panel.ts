/** How EventBridge and the stream misbehave, as switches that say what they wait for. */
import { local } from './backend.ts';
import { element, find } from './dom.ts';
import { text, type TextName } from './texts.ts';

export interface BusStatus {
  readonly eventFaults: { readonly fail: number; readonly slowMs: number; readonly away: boolean };
  /** Absent: no function is on the stream. */
  readonly stream?: readonly { readonly behind: number }[];
}

interface Switch {
  readonly fault: 'fail' | 'slowMs' | 'away';
  readonly name: TextName;
  readonly help: TextName;
  readonly on: number | true;
  readonly off: number | false;
  /** Empty: nothing waits. */
  readonly waitsFor: (status: BusStatus) => string;
}

const REDELIVERED = 10;

const untilOff = (status: BusStatus) => {
  const behind = (status.stream ?? []).reduce((sum, one) => sum + one.behind, 0);
  return behind > 0 ? text('busWaits', { n: behind }) : text('busUntilOff');
};

const SWITCHES: readonly Switch[] = [
  {
    fault: 'fail',
    name: 'busRefuse',
    help: 'busRefuseHelp',
    on: 3,
    off: 0,
    waitsFor: ({ eventFaults }) => text('busRefuseWaits', { n: eventFaults.fail }),
  },
  {
    fault: 'slowMs',
    name: 'busSlow',
    help: 'busSlowHelp',
    on: 2000,
    off: 0,
    waitsFor: untilOff,
  },
  {
    fault: 'away',
    name: 'busAway',
    help: 'busAwayHelp',
    on: true,
    off: false,
    waitsFor: untilOff,
  },
];

export class BusPanel {
  readonly #group = find('#faults-bus', HTMLElement);
  readonly #say: (message: string) => void;
  readonly #drawn = new Map<Switch, { button: HTMLButtonElement; waits: HTMLElement }>();
  #status: BusStatus = { eventFaults: { fail: 0, slowMs: 0, away: false } };

  /** `say` shows what a choice means, and what went wrong. */
  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  draw(): void {
    this.#drawn.clear();
    const switches = SWITCHES.map((one) => {
      const waits = element('span.chip-waits');
      const button = this.#button('button.chip', one.name, one.help, () => this.#toggle(one));
      button.dataset['busFault'] = one.fault;
      button.append(waits);
      this.#drawn.set(one, { button, waits });
      return button;
    });
    this.#group.replaceChildren(
      ...switches,
      this.#button('button.chip.action', 'busRedeliver', 'busRedeliverHelp', () =>
        this.#redeliver(),
      ),
    );
    this.show(this.#status);
  }

  show(status: BusStatus): void {
    this.#status = status;
    for (const [one, { button, waits }] of this.#drawn) {
      const isOn = Boolean(status.eventFaults[one.fault]);
      const shown = isOn ? ` · ${one.waitsFor(status)}` : '';
      button.setAttribute('aria-pressed', String(isOn));
      if (waits.textContent !== shown) {
        waits.textContent = shown;
      }
    }
  }

  #button(
    kind: 'button.chip' | 'button.chip.action',
    name: TextName,
    help: TextName,
    run: () => Promise<void>,
  ): HTMLButtonElement {
    const button = element(kind, { type: 'button', title: text(help) }, text(name));
    button.addEventListener('focus', () => this.#say(text(help)));
    button.addEventListener('mouseenter', () => this.#say(text(help)));
    button.addEventListener('click', () => {
      run().catch((error: unknown) => {
        this.#say(error instanceof Error ? error.message : String(error));
      });
    });
    return button;
  }

  async #toggle({ fault, on, off, help }: Switch): Promise<void> {
    const value = this.#status.eventFaults[fault] ? off : on;
    const eventFaults = await local<BusStatus['eventFaults']>('POST', '/events/faults', {
      [fault]: value,
    });
    this.#say(text(help));
    this.show({ ...this.#status, eventFaults });
  }

  async #redeliver(): Promise<void> {
    const { redelivered } = await local<{ redelivered: number }>('POST', '/events/faults', {
      redeliver: REDELIVERED,
    });
    this.#say(
      redelivered > 0 ? text('busRedelivered', { n: redelivered }) : text('busNothingToRedeliver'),
    );
  }
}
