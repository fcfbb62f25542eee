/** Gives money back for the current order, as the merchant's own people do. */
import { type ApiAnswer, askAsMerchant } from './backend.ts';
import { element, find } from './dom.ts';

import { yuan } from './refund-view.ts';
import type { Row } from './rows.ts';
import { text } from './texts.ts';

export class RefundPanel {
  readonly #form = find('#refund', HTMLFormElement);
  readonly #amount = find('#refund-amount', HTMLInputElement);
  readonly #answers = find('#refund-answers', HTMLOListElement);
  readonly #onAnswer: () => Promise<void>;
  #outTradeNo: string | undefined;

  constructor(onAnswer: () => Promise<void>) {
    this.#onAnswer = onAnswer;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#refund(1);
    });
    find('#refund-twice', HTMLButtonElement).addEventListener('click', () => void this.#refund(2));
  }

  /** Only what was paid can be given back. */
  follow(row: Row | undefined): void {
    const outTradeNo = row && String(row['outTradeNo']);
    if (outTradeNo !== this.#outTradeNo) {
      this.#outTradeNo = outTradeNo;
      this.#answers.replaceChildren();
    }
    this.#form.hidden = row?.tradeState !== 'SUCCESS' && row?.tradeState !== 'REFUND';
  }

  /** Each with a key of its own: two people who press at the same moment, not one who presses twice. */
  async #refund(times: number): Promise<void> {
    const body = readAmount(this.#amount.value);
    if (body === undefined) {
      this.#say('refused', text('refundAmountInvalid'));
      return;
    }
    const path = `/orders/${encodeURIComponent(this.#outTradeNo ?? '')}/refunds`;
    const ask = async () => {
      const answer = await askAsMerchant(path, body, { 'idempotency-key': crypto.randomUUID() });
      this.#say(answer.status < 300 ? 'ok' : 'refused', describe(answer));
    };
    await Promise.allSettled(Array.from({ length: times }, ask));
    await this.#onAnswer();
  }

  #say(outcome: 'ok' | 'refused', words: string): void {
    this.#answers.prepend(element('li', { 'data-outcome': outcome }, element('p', {}, words)));
  }
}

/** Nothing for what is no amount; an empty field is all that is left. */
function readAmount(field: string): { refundFen?: number } | undefined {
  const amount = field.trim();
  if (amount === '') {
    return {};
  }
  return /^\d{1,7}(\.\d{1,2})?$/.test(amount)
    ? { refundFen: Math.round(Number(amount) * 100) }
    : undefined;
}

/** `201 PROCESSING ¥28.00`, `409 REFUND_EXCEEDS_PAYMENT: …` */
function describe({ status, body }: ApiAnswer): string {
  const error = body['error'] as { code: string; message: string } | undefined;
  return error
    ? `${status} ${error.code}: ${error.message}`
    : `${status} ${String(body['status'])} ¥${yuan(body['refundFen'])}`;
}
