/** The second page: what became of an order, and what the buyer can do now. */
const { formatTime, formatYuan } = require('./format.js');
/** @import { Counter } from './counter.js' */
/** @import { OrderData, OrderPage, Texts } from './shop.js' */
/** @import { CloseResult, Order, PayResult } from '../pay/pay.js' */

/** @typedef {PayResult | CloseResult} Result */

/**
 * @param {Counter} counter
 * @param {string} outTradeNo
 * @param {(data: Partial<OrderData>) => void} render
 * @returns {OrderPage}
 */
function openOrder(counter, outTradeNo, render) {
  const { pay, texts } = counter;
  /** @type {Result | undefined} */
  let result;

  /** @param {Result} next */
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

  async function cancel() {
    const { confirm } = await counter.wx.showModal({
      title: texts.cancelOrder,
      content: texts.cancelQuestion,
      confirmText: texts.cancelYes,
      cancelText: texts.cancelNo,
    });
    if (!confirm) {
      return;
    }
    const closed = await counter.showBusy(texts.cancelling, () => pay.close(outTradeNo));
    if (closed.status === 'failed') {
      // The page goes on to show the order, not the failure to cancel it.
      counter.showFailure(closed);
    } else {
      show(closed);
    }
  }

  render({ texts, outTradeNo, status: 'checking', title: texts.checking, hint: '' });
  const known = counter.takeResult(outTradeNo);
  const opened = known ? Promise.resolve(show(known)) : check();
  return { opened, check, payAgain, cancel };
}

/**
 * @param {Result} result
 * @param {Texts} texts
 * @returns {Partial<OrderData>}
 */
function presentResult(result, texts) {
  const order = 'order' in result ? result.order : undefined;
  const status = statusOf(result, order);
  const isOpen = order?.tradeState === 'NOTPAY' && !order.closing;
  return {
    status,
    title: refundTitle(order, texts) || texts[status],
    hint: hintOf(result, status, texts) || (order?.refundedFen ? texts.refundHint : ''),
    amount: order ? formatYuan(order.totalFen) : '',
    refunded: order?.refundedFen ? formatYuan(order.refundedFen) : '',
    description: order?.description ?? '',
    paidAt: formatTime(order?.paidAt),
    transactionId: order?.transactionId ?? '',
    requestId: ('requestId' in result && result.requestId) || '',
    canPay: isOpen,
    canCancel: isOpen,
    // A failure to look is no failure of the order.
    canCheck: /unknown|closing/.test(status) || (status === 'failed' && !order),
  };
}

/**
 * An order that is over says so, whatever asked about it.
 *
 * @param {Result} result
 * @param {Order | undefined} order
 */
function statusOf(result, order) {
  if (order?.closing) {
    return 'closing';
  }
  return order?.tradeState === 'CLOSED' ? 'closed' : result.status;
}

/**
 * Empty for an order of which nothing was given back.
 *
 * @param {Order | undefined} order
 * @param {Texts} texts
 */
function refundTitle(order, texts) {
  if (order?.tradeState === 'REFUND') {
    const isWhole = (order.refundedFen ?? order.totalFen) >= order.totalFen;
    return isWhole ? texts.refunded : texts.partlyRefunded;
  }
  return order?.refundedFen ? texts.refunding : '';
}

/**
 * @param {Result} result
 * @param {OrderData['status']} status
 * @param {Texts} texts
 */
function hintOf(result, status, texts) {
  if (status === 'failed') {
    return 'message' in result ? result.message : '';
  }
  if (status === 'cancelled') {
    return texts.cancelledHint;
  }
  if (status === 'closing') {
    return texts.closingHint;
  }
  if (status === 'closed') {
    return texts.closedHint;
  }
  return status === 'unknown' ? texts.unknownHint : '';
}

module.exports = { openOrder };
