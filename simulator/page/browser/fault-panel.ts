/** What may go wrong, as switches: on until the fault has struck. */
import { simulator } from './backend.ts';
import { element, find } from './dom.ts';
import { text, type TextName } from './texts.ts';

interface FaultChoice {
  readonly name: TextName;
  readonly help: TextName;
  readonly point: string;
  readonly kind: string;
  readonly seconds?: number;
}

interface ActiveFault {
  readonly id: string;
  readonly point: string;
  readonly kind: string;
}

const NOTIFY: readonly FaultChoice[] = [
  { name: 'notifyLost', help: 'notifyLostHelp', point: 'notify', kind: 'lost' },
  { name: 'notifyLate', help: 'notifyLateHelp', point: 'notify', kind: 'late', seconds: 30 },
  { name: 'notifyTwice', help: 'notifyTwiceHelp', point: 'notify', kind: 'duplicate' },
  { name: 'notifyTamper', help: 'notifyTamperHelp', point: 'notify', kind: 'tamper' },
  { name: 'notifyAmount', help: 'notifyAmountHelp', point: 'notify', kind: 'wrong-amount' },
  { name: 'notifyReorder', help: 'notifyReorderHelp', point: 'notify', kind: 'reorder' },
  { name: 'notifyAck', help: 'notifyAckHelp', point: 'notify', kind: 'timeout-after' },
];

const CALLS: readonly FaultChoice[] = [
  { name: 'orderBefore', help: 'orderBeforeHelp', point: 'unifiedorder', kind: 'timeout-before' },
  { name: 'orderAfter', help: 'orderAfterHelp', point: 'unifiedorder', kind: 'timeout-after' },
  { name: 'queryTamper', help: 'queryTamperHelp', point: 'orderquery', kind: 'tamper' },
  { name: 'hostDown', help: 'hostDownHelp', point: 'host', kind: 'down' },
];

const keyOf = ({ point, kind }: { point: string; kind: string }) => `${point}/${kind}`;

export class FaultPanel {
  readonly #say: (message: string) => void;
  readonly #groups: readonly [HTMLElement, readonly FaultChoice[]][];
  readonly #everyTime = find('#every-time', HTMLInputElement);
  #active = new Map<string, string>();

  /** `say` shows what a choice means, and what went wrong. */
  constructor(notify: HTMLElement, calls: HTMLElement, say: (message: string) => void) {
    this.#groups = [
      [notify, NOTIFY],
      [calls, CALLS],
    ];
    this.#say = say;
    this.draw();
  }

  draw(): void {
    for (const [group, choices] of this.#groups) {
      group.replaceChildren(...choices.map((choice) => this.#drawChoice(choice)));
    }
    this.#mark();
  }

  /** Faults end by themselves when they strike. */
  async refresh(): Promise<void> {
    const { faults } = await simulator<{ faults: ActiveFault[] }>('GET', '/faults');
    this.#active = new Map(faults.map((fault) => [keyOf(fault), fault.id]));
    this.#mark();
  }

  #mark(): void {
    for (const [group] of this.#groups) {
      for (const button of group.querySelectorAll('button')) {
        const isActive = this.#active.has(button.dataset['fault'] ?? '');
        button.setAttribute('aria-pressed', String(isActive));
      }
    }
  }

  #drawChoice(choice: FaultChoice): HTMLButtonElement {
    const help = text(choice.help);
    const button = element(
      'button.chip',
      { type: 'button', 'aria-pressed': 'false', 'data-fault': keyOf(choice), title: help },
      text(choice.name),
    );
    button.addEventListener('focus', () => this.#say(text(choice.help)));
    button.addEventListener('mouseenter', () => this.#say(text(choice.help)));
    button.addEventListener('click', () => {
      this.#toggle(choice).catch((error: unknown) => this.#say(String(error)));
    });
    return button;
  }

  async #toggle(choice: FaultChoice): Promise<void> {
    const id = this.#active.get(keyOf(choice));
    if (id === undefined) {
      const { point, kind, seconds } = choice;
      const delay = seconds === undefined ? {} : { seconds };
      const times = this.#everyTime.checked ? {} : { times: 1 };
      await simulator('POST', '/faults', { point, kind, ...times, ...delay });
    } else {
      await simulator('DELETE', `/faults/${id}`);
    }
    this.#say(text(choice.help));
    await this.refresh();
  }
}
