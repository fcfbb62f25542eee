/** The views beside the diagram: the current order, the chosen message, and a day's bill. */
import { simulator, local } from './backend.ts';
import { element, find } from './dom.ts';
import type { Exchange } from './exchanges.ts';
import { showMessage } from './message-view.ts';
import { listNotices } from './notices.ts';
import { type OrderPicture, showOrder, type TableOrder, type WechatOrder } from './order-view.ts';
import type { Row } from './rows.ts';
import { text } from './texts.ts';

const TABS = ['order', 'message', 'bill'] as const;
type Tab = (typeof TABS)[number];
const KEPT_ORDERS = 20;

export class Inspector {
  readonly #view = find('#order-view', HTMLElement);
  readonly #select = find('#orders', HTMLSelectElement);
  readonly #messagePanel = find('#message-panel', HTMLElement);
  #exchange: Exchange | undefined;
  /** All that are known, also those that were cleared away. */
  #exchanges: readonly Exchange[] = [];
  #numbers: string[] = [];
  /** Undefined: the latest one. */
  #pinned: string | undefined;
  #picture: OrderPicture | undefined;
  #drawn = '';
  /** Orders that the table, and that WeChat, are known to have: nobody else is asked. */
  #inTable = new Set<string>();
  #atWechat = new Set<string>();

  constructor(onOrder: () => void) {
    for (const tab of TABS) {
      const button = find(`#tab-${tab}`, HTMLButtonElement);
      button.addEventListener('click', () => this.open(tab));
      button.addEventListener('keydown', ({ key }) => {
        if (key === 'ArrowLeft' || key === 'ArrowRight') {
          const step = key === 'ArrowLeft' ? TABS.length - 1 : 1;
          const other = TABS[(TABS.indexOf(tab) + step) % TABS.length] ?? tab;
          this.open(other);
          find(`#tab-${other}`, HTMLButtonElement).focus();
        }
      });
    }
    this.#select.addEventListener('change', () => {
      this.#pinned = this.#select.value;
      onOrder();
    });
    this.open('order');
  }

  open(tab: Tab): void {
    for (const one of TABS) {
      const button = find(`#tab-${one}`, HTMLButtonElement);
      button.setAttribute('aria-selected', String(one === tab));
      button.tabIndex = one === tab ? 0 : -1;
      find(`#${one}-panel`, HTMLElement).hidden = one !== tab;
    }
  }

  /** The order that is shown. */
  get outTradeNo(): string | undefined {
    return this.#pinned ?? this.#numbers[0];
  }

  get row(): Row | undefined {
    return this.#picture?.table?.row;
  }

  show(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#drawMessage();
    this.open('message');
    this.#messagePanel.scrollTop = 0;
  }

  /** A message may have got its answer; an order may be new. `all`: also what was cleared away. */
  update(exchanges: readonly Exchange[], all: readonly Exchange[]): void {
    this.#exchanges = all;
    const fresh = exchanges.find(({ key }) => key === this.#exchange?.key);
    if (fresh && signatureOf(fresh) !== signatureOf(this.#exchange)) {
      this.#exchange = fresh;
      this.#drawMessage();
    }
    this.#learnWhoKnows(exchanges);
    // A late message about an old order must not take the place of the one that is being paid.
    const orderedHere = exchanges.filter(({ label }) => label === 'POST /prepay');
    const touched = exchanges.filter((exchange) => !orderedHere.includes(exchange));
    const found = [...touched, ...orderedHere].map(({ outTradeNo }) => outTradeNo);
    const numbers = [...new Set(found.toReversed())].filter((number) => number !== undefined);
    if (numbers[0] !== undefined && !this.#numbers.includes(numbers[0])) {
      this.#pinned = undefined;
    }
    this.#numbers = [...new Set([...numbers, ...this.#numbers])].slice(0, KEPT_ORDERS);
    this.#drawChoice();
  }

  /** Reads the order anew; draws only what changed. */
  async refresh(): Promise<void> {
    const number = this.outTradeNo;
    if (number === undefined) {
      return;
    }
    const about = this.#exchanges.filter(({ outTradeNo }) => outTradeNo === number);
    if (!this.#inTable.has(number) && !about.some(isNews)) {
      return;
    }
    const path = encodeURIComponent(number);
    const [table, wechat] = await Promise.all([
      this.#inTable.has(number) ? local<TableOrder>('GET', `/orders/${path}`) : undefined,
      this.#atWechat.has(number) ? simulator<WechatOrder>('GET', `/orders/${path}`) : undefined,
    ]);
    const notices = listNotices(table?.notifications ?? [], about);
    this.#picture = { table, wechat, notices, events: table ? [] : listTaken(about) };
    const drawn = JSON.stringify(this.#picture);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.redraw();
    }
  }

  redraw(): void {
    const isOpen = [...this.#view.querySelectorAll('details')].map(({ open }) => open);
    this.#view.replaceChildren(
      this.#picture
        ? showOrder(this.#picture, (key) => this.#openMessage(key))
        : element('p.empty', {}, text('noOrder')),
    );
    for (const [at, details] of this.#view.querySelectorAll('details').entries()) {
      details.open = isOpen[at] ?? false;
    }
    this.#drawChoice();
    this.#drawMessage();
  }

  #openMessage(key: string): void {
    const exchange = this.#exchanges.find((one) => one.key === key);
    if (exchange) {
      this.show(exchange);
      find('#tab-message', HTMLButtonElement).focus();
    }
  }

  #learnWhoKnows(exchanges: readonly Exchange[]): void {
    for (const exchange of exchanges) {
      const { outTradeNo, wechat, outcome } = exchange;
      if (outTradeNo === undefined) {
        continue;
      }
      if (showsRow(exchange)) {
        this.#inTable.add(outTradeNo);
      }
      if (
        wechat &&
        (outcome === 'ok' || wechat.fault === 'timeout-after' || wechat.kind === 'notify')
      ) {
        this.#atWechat.add(outTradeNo);
      }
    }
  }

  #drawMessage(): void {
    this.#messagePanel.replaceChildren(
      this.#exchange ? showMessage(this.#exchange) : element('p.empty', {}, text('chooseMessage')),
    );
  }

  #drawChoice(): void {
    this.#select.hidden = this.#numbers.length === 0;
    this.#select.replaceChildren(
      ...this.#numbers.map((number) => element('option', { value: number }, number)),
    );
    if (this.outTradeNo !== undefined) {
      this.#select.value = this.outTradeNo;
    }
  }
}

/** The table was asked about an order that it has, or is given; a payment of no order has no such row. */
const showsRow = ({ to, outcome, label, result, local: call }: Exchange) =>
  to === 'table' &&
  outcome === 'ok' &&
  label !== 'BatchGetItem' &&
  result !== 'none' &&
  call?.request.body.includes('"UNKNOWN#') === false;

const signatureOf = (exchange: Exchange | undefined) =>
  `${exchange?.result} ${exchange?.event?.count ?? 1}`;

/** Something of an order that the table may not have: WeChat spoke of it, or an event did. */
const isNews = ({ event, wechat, local }: Exchange) =>
  event !== undefined || wechat?.kind === 'notify' || local?.from === 'wechat';

/** Of a payment without an order, which the table's list of an order's events cannot have. */
const listTaken = (exchanges: readonly Exchange[]) =>
  exchanges.flatMap(({ event, local }) =>
    event?.outcome === 'ok'
      ? Array.from({ length: event.count }, () => ({
          id: local?.id ?? 0,
          time: event.time,
          detailType: event.detailType,
          detail: JSON.parse(event.detail) as Record<string, unknown>,
        }))
      : [],
  );
