/** One payment, from the tap to a result that the server has confirmed. */
const { confirm } = require('./confirm.js');
const { sheetReason } = require('./failure.js');
const { inputProblem } = require('./order-input.js');
/** @import { FailedResult, OrderToPay, PayResult } from './pay.js' */
/** @import { Client, Flight } from './client.js' */
/** @import { Pending } from './pending.js' */
/** @import { Prepaid } from './server.js' */

/**
 * @param {Client} client
 * @param {OrderToPay} order
 * @returns {Promise<PayResult>}
 */
async function pay(client, order) {
  const { current, failure } = client;
  const wrong = inputProblem(order);
  if (wrong) {
    return failure(wrong);
  }
  const content = JSON.stringify(order);
  if (current?.result) {
    return current.content === content ? current.result : failure('busy');
  }
  /** @type {Flight} */
  const flight = { content };
  client.current = flight;
  flight.result = begin(client, flight).finally(() => {
    client.current = undefined;
  });
  return flight.result;
}

/**
 * From the tap to WeChat's payment sheet, under one Idempotency-Key until the order is final.
 *
 * @param {Client} client
 * @param {Flight} flight
 * @returns {Promise<PayResult>}
 */
async function begin(client, flight) {
  const { now, pendings, server } = client;
  const body = JSON.parse(flight.content);
  const pending = pendings.find(body.outTradeNo, flight.content);
  const isNew = !pending.key;
  // Unique among one buyer's orders, which is enough: the server binds the key to the buyer.
  pending.key ||= `${now()}-${Math.random()}`;
  flight.outTradeNo = pending.outTradeNo;
  // WeChat may have taken the money already: no second sheet before the server has looked.
  if (pending.sheet) {
    const confirmed = await confirm(client, pending, false);
    if (confirmed.status !== 'cancelled') {
      return confirmed;
    }
  }
  pendings.save(pending);
  const prepaid = await server.prepay(body, pending.key);
  if (!prepaid.status) {
    return openSheet(client, flight, pending, prepaid);
  }
  const confirmed = await confirmRefused(client, pending, prepaid);
  if (confirmed) {
    return confirmed;
  }
  // A refusal is final. After anything else the next tap repeats this one, under the same key.
  const { httpStatus = 0 } = prepaid;
  if (httpStatus >= 400 && httpStatus < 500) {
    pendings.remove(pending);
  }
  return isOver(prepaid) && !isNew && body.items ? begin(client, flight) : prepaid;
}

/** @param {FailedResult} refusal */
const isOver = ({ reason }) => /^order-(closed|expired)$/.test(reason);

/**
 * What the server says of an order whose prepay was refused although it may have been paid;
 * undefined: nothing was paid, the refusal stands.
 *
 * @param {Client} client
 * @param {Pending} pending
 * @param {FailedResult} refusal
 */
async function confirmRefused(client, pending, refusal) {
  const over = isOver(refusal);
  // Also an order that is over: it may have been paid in its last second.
  if (pending.outTradeNo && (over || pending.sheet || refusal.reason === 'order-already-paid')) {
    const confirmed = await confirm(client, pending, !over);
    if (!over || /paid|unknown/.test(confirmed.status)) {
      return confirmed;
    }
  }
  return undefined;
}

/**
 * WeChat's payment sheet and what the server makes of it. From here on the order may be paid,
 * which is stored first: the app may end while the sheet is open.
 *
 * @param {Client} client
 * @param {Flight} flight
 * @param {Pending} pending
 * @param {Prepaid} prepaid
 * @returns {Promise<PayResult>}
 */
async function openSheet(client, flight, pending, { outTradeNo, requestPayment }) {
  const { failure, pendings, wx } = client;
  flight.outTradeNo = outTradeNo;
  pendings.save(pending, { outTradeNo, sheet: pending.sheet || 'open' });
  /** @type {{ errMsg?: string }} */
  const { errMsg = '' } = await new Promise((resolve) => {
    flight.finishSheet = resolve;
    wx.requestPayment({ ...requestPayment, success: resolve, fail: resolve });
  });
  delete flight.finishSheet;
  if (errMsg.endsWith(':ok')) {
    pendings.save(pending, { sheet: 'ok' });
  }
  const confirmed = await confirm(client, pending);
  if (confirmed.status !== 'cancelled' || errMsg.includes('cancel')) {
    return confirmed;
  }
  return failure(sheetReason(errMsg), { errMsg, order: confirmed.order });
}

module.exports = { pay };
