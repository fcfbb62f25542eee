/** What became of an order, from the server alone. */
/** @import { Order, PayResult } from './pay.js' */
/** @import { Client } from './client.js' */
/** @import { Pending } from './pending.js' */

/** The server asks WeChat at most every 3 seconds; most confirmations come within the first two. */
const CONFIRM_PAUSES_MS = [0, 1000, 2000, 4000, 8000];

/**
 * Asks the server until it knows. For the patient, to whom WeChat said "ok", unpaid is no answer
 * yet; for the others it is.
 *
 * @param {Client} client
 * @param {Pending} pending
 * @returns {Promise<PayResult>}
 */
async function confirm(client, pending, isPatient = pending.sheet === 'ok') {
  const { failure, pendings, server, wait } = client;
  const { outTradeNo } = pending;
  let problem;
  for (const pauseMs of CONFIRM_PAUSES_MS) {
    if (pauseMs) {
      await wait(pauseMs);
    }
    const order = await server.getOrder(outTradeNo);
    if (order.status && order.reason !== 'order-not-found') {
      problem = order;
      continue;
    }
    const isUnpaid = !order.status && order.tradeState === 'NOTPAY';
    if (isUnpaid && isPatient) {
      continue;
    }
    if (!isUnpaid) {
      pendings.remove(pending);
    } else if (pending.sheet === 'open') {
      pendings.save(pending, { sheet: '' });
    }
    return order.status ? order : resultOf(client, order);
  }
  return {
    ...problem,
    ...failure('unknown'),
    status: 'unknown',
    outTradeNo,
    resume: () => resume(client, outTradeNo),
  };
}

/**
 * What WeChat's `trade_state` means to the buyer. A refunded order has been paid.
 *
 * @param {Client} client
 * @param {Order} order
 * @returns {PayResult}
 */
function resultOf({ failure }, order) {
  switch (order.tradeState) {
    case 'NOTPAY':
      return order.closing ? failure('order-closing', { order }) : { status: 'cancelled', order };
    case 'CLOSED':
      return failure('order-closed', { order });
    default:
      return { status: 'paid', order };
  }
}

/**
 * @param {Client} client
 * @param {string} outTradeNo
 * @returns {Promise<PayResult>}
 */
async function resume(client, outTradeNo) {
  const { current, failure, pendings } = client;
  if (!outTradeNo) {
    return failure('order-number-missing');
  }
  if (current?.result && current.outTradeNo === outTradeNo) {
    return current.result;
  }
  return confirm(client, pendings.find(outTradeNo));
}

/** @param {Client} client */
async function resumePending(client) {
  const { outTradeNo: inSheet = '', finishSheet } = client.current ?? {};
  // WeChat's callback can get lost in an app switch: a payment that the server knows ends it.
  if (finishSheet) {
    const order = await client.server.getOrder(inSheet);
    if (!order.status && order.tradeState !== 'NOTPAY') {
      finishSheet({ errMsg: ':ok' });
    }
  }
  const results = [];
  for (const { sheet, outTradeNo } of client.pendings.all()) {
    if (sheet && outTradeNo !== client.current?.outTradeNo) {
      results.push(await resume(client, outTradeNo));
    }
  }
  return results;
}

module.exports = { confirm, resume, resumePending };
