/** Gives an unpaid order up. */
/** @import { CloseResult, Order } from './pay.js' */
/** @import { Client } from './client.js' */

/** @type {Partial<Record<Order['tradeState'], 'closing' | 'closed'>>} */
const STATUSES = { NOTPAY: 'closing', CLOSED: 'closed' };

/**
 * @param {Client} client
 * @param {string} outTradeNo
 * @returns {Promise<CloseResult>}
 */
async function close({ failure, pendings, server }, outTradeNo) {
  if (!outTradeNo) {
    return failure('order-number-missing');
  }
  const reply = await server.close(outTradeNo);
  // The only conflict is that it was paid before.
  const order =
    reply.status && reply.httpStatus === 409 ? await server.getOrder(outTradeNo) : reply;
  if (order.status) {
    return order;
  }
  const status = STATUSES[order.tradeState] ?? 'paid';
  if (status !== 'closing') {
    // The next tap on the same goods is a new order.
    pendings.remove(pendings.find(outTradeNo));
  }
  return { status, order };
}

module.exports = { close };
