/** The sequence diagram: a list of messages that can be walked with the arrow keys. */
import { element } from './dom.ts';
import type { Exchange, Party } from './exchanges.ts';
import { clockTime, resultText, text } from './texts.ts';

const LANES: readonly Party[] = ['mini', 'api', 'table', 'bus', 'wechat'];

/** So many new rows are drawn in one go; the rest after the browser had its turn. */
const ROWS_AT_ONCE = 150;

/** One arrow: a message, or the answer to one during which other messages were sent. */
interface Arrow {
  readonly key: string;
  readonly atMs: number;
  readonly isAnswer: boolean;
  readonly exchange: Exchange;
}

export class Diagram {
  readonly #list: HTMLOListElement;
  readonly #onChoose: (exchange: Exchange) => void;
  #rows = new Map<string, HTMLLIElement>();
  #drawn = new Map<string, string>();
  #chosen: string | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(list: HTMLOListElement, onChoose: (exchange: Exchange) => void) {
    this.#list = list;
    this.#onChoose = onChoose;
    list.addEventListener('keydown', (event) => moveFocus(list, event));
  }

  /** Draws what is new or changed and keeps the rest, so that focus and selection stay. */
  draw(exchanges: readonly Exchange[]): void {
    clearTimeout(this.#rest);
    const scroller = this.#list.parentElement;
    const follows =
      scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
    const arrows = toArrows(exchanges);
    const wanted = new Set(arrows.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (!wanted.has(key)) {
        row.remove();
        this.#rows.delete(key);
        this.#drawn.delete(key);
      }
    }
    this.#drawRows(arrows, () => this.draw(exchanges));
    if (follows) {
      scroller.scrollTop = scroller.scrollHeight;
    }
  }

  /** In their order; `drawRest` is called later when they are too many for now. */
  #drawRows(arrows: readonly Arrow[], drawRest: () => void): void {
    const most = this.#rows.size + ROWS_AT_ONCE;
    let before: Element | null = null;
    for (const arrow of arrows) {
      if (this.#rows.size >= most) {
        this.#rest = setTimeout(drawRest);
        return;
      }
      const row = this.#drawRow(arrow);
      const place: Element | null = before
        ? before.nextElementSibling
        : this.#list.firstElementChild;
      if (place !== row) {
        this.#list.insertBefore(row, place);
      }
      before = row;
    }
  }

  /** Draws everything anew, in another language. */
  redraw(exchanges: readonly Exchange[]): void {
    this.#rows.clear();
    this.#drawn.clear();
    this.#list.replaceChildren();
    this.draw(exchanges);
  }

  choose(key: string | undefined): void {
    this.#chosen = key;
    for (const row of this.#list.querySelectorAll<HTMLElement>('[data-exchange]')) {
      row.setAttribute('aria-pressed', String(row.dataset['exchange'] === key));
    }
  }

  #drawRow(arrow: Arrow): HTMLLIElement {
    const { exchange, isAnswer } = arrow;
    const signature = `${exchange.outcome} ${exchange.result} ${exchange.event?.count ?? 1}`;
    const known = this.#rows.get(arrow.key);
    if (known && this.#drawn.get(arrow.key) === signature) {
      return known;
    }
    const row = known ?? element('li');
    const button = drawArrow(exchange, isAnswer);
    button.setAttribute('aria-pressed', String(exchange.key === this.#chosen));
    button.addEventListener('click', () => this.#onChoose(exchange));
    row.replaceChildren(button);
    this.#rows.set(arrow.key, row);
    this.#drawn.set(arrow.key, signature);
    return row;
  }
}

/** `exchanges` in the order in which they began. */
function toArrows(exchanges: readonly Exchange[]): Arrow[] {
  const arrows = exchanges.flatMap((exchange, index): Arrow[] => {
    const { key, startMs, endMs } = exchange;
    const asked = { key, atMs: startMs, isAnswer: false, exchange };
    return endMs !== undefined && hasInner(exchanges, index)
      ? [asked, { key: `${key}-answer`, atMs: endMs, isAnswer: true, exchange }]
      : [asked];
  });
  return arrows.sort((a, b) => a.atMs - b.atMs);
}

/** Whether the one who was asked asked somebody else before answering. */
function hasInner(exchanges: readonly Exchange[], index: number): boolean {
  const { from, to, startMs, endMs = 0 } = exchanges[index] as Exchange;
  if (from === to) {
    return false;
  }
  for (let at = index + 1; (exchanges[at]?.startMs ?? endMs) < endMs; at += 1) {
    const inner = exchanges[at];
    if (inner?.from === to && inner.startMs > startMs) {
      return true;
    }
  }
  return false;
}

function drawArrow(exchange: Exchange, isAnswer: boolean): HTMLButtonElement {
  const { outcome, result, time, label } = exchange;
  const [from, to] = isAnswer ? [exchange.to, exchange.from] : [exchange.from, exchange.to];
  const [start, end] = [LANES.indexOf(from), LANES.indexOf(to)];
  const shownLabel = isAnswer ? text('answer') : label;
  const parties = from === to ? text(from) : `${text(from)} → ${text(to)}`;
  const button = element(
    'button.arrow',
    {
      type: 'button',
      'data-exchange': exchange.key,
      'data-outcome': outcome,
      'data-direction': start === end ? 'self' : start < end ? 'right' : 'left',
      'data-answer': isAnswer,
      'data-lost': outcome === 'failed' && !isAnswer,
    },
    element('time', {}, clockTime(time)),
    element('span.hidden', {}, ` ${parties}: `),
    element(
      'span.arrow-label',
      {},
      element('span.arrow-name', {}, shownLabel),
      ' ',
      element(
        'span',
        { class: result === '' ? 'hidden' : 'arrow-result' },
        describeResult(exchange),
      ),
    ),
    element('span.arrow-line'),
  );
  button.style.setProperty('--first', String(Math.min(start, end)));
  button.style.setProperty('--span', String(Math.abs(end - start)));
  return button;
}

function describeResult({ outcome, result, event }: Exchange): string {
  const word = result === '' ? describeOutcome(outcome) : resultText(result);
  return event && event.count > 1 ? `${word} ×${event.count}` : word;
}

const describeOutcome = (outcome: Exchange['outcome']) =>
  text(
    (
      {
        ok: 'outcomeOk',
        refused: 'outcomeRefused',
        failed: 'outcomeFailed',
        pending: 'outcomePending',
      } as const
    )[outcome],
  );

function moveFocus(list: HTMLOListElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const buttons = [...list.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (step === undefined || at < 0) {
    return;
  }
  event.preventDefault();
  buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)]?.focus();
}
