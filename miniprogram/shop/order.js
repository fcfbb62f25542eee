/** The second page: what became of an order, and what the buyer can do now. */
const { formatTime, formatYuan } = require('./format.js');
/** @import { Counter } from './counter.js' */
/** @import { OrderData, OrderPage, Texts } from './shop.js' */
/** @import { PayResult } from '../pay/pay.js' */

/**
 * @param {Counter} counter
 * @param {string} outTradeNo
 * @param {(data: Partial<OrderData>) => void} render
 * @returns {OrderPage}
 */
function openOrder(counter, outTradeNo, render) {
  const { pay, texts } = counter;
  /** @type {PayResult | undefined} */
  let result;

  /** @param {PayResult} next */
  function show(next) {
    result = next;
    render(presentResult(next, texts));
  }

  async function check() {
    show(await counter.showBusy(texts.checking, () => pay.resume(outTradeNo)));
  }

  async function payAgain() {
    const order = result && 'order' in result ? result.order : undefined;
    if (!order) {
      return;
    }
    const again = { outTradeNo, expectedTotalFen: order.totalFen };
    show(await counter.showBusy(texts.paying, () => pay.pay(again)));
  }

  render({ texts, outTradeNo, status: 'checking', title: texts.checking, hint: '' });
  const known = counter.takeResult(outTradeNo);
  const opened = known ? Promise.resolve(show(known)) : check();
  return { opened, check, payAgain };
}

/**
 * @param {PayResult} result
 * @param {Texts} texts
 * @returns {Partial<OrderData>}
 */
function presentResult(result, texts) {
  const order = 'order' in result ? result.order : undefined;
  const canPay = result.status === 'cancelled' || order?.tradeState === 'NOTPAY';
  return {
    status: result.status,
    title: order?.tradeState === 'REFUND' ? texts.refunded : texts[result.status],
    hint: hintOf(result, texts),
    amount: order ? formatYuan(order.totalFen) : '',
    description: order?.description ?? '',
    paidAt: formatTime(order?.paidAt),
    transactionId: order?.transactionId ?? '',
    requestId: ('requestId' in result && result.requestId) || '',
    canPay,
    // A failure to look is no failure of the order.
    canCheck: result.status === 'unknown' || (result.status === 'failed' && !order),
  };
}

/**
 * @param {PayResult} result
 * @param {Texts} texts
 */
function hintOf(result, texts) {
  if (result.status === 'failed') {
    return result.message;
  }
  if (result.status === 'cancelled') {
    return texts.cancelledHint;
  }
  return result.status === 'unknown' ? texts.unknownHint : '';
}

module.exports = { openOrder };
