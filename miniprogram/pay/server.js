/** The API's routes, one function each. */
const { send } = require('./request.js');
const { createSession } = require('./session.js');
/** @import { FailedResult, Order } from './pay.js' */
/** @import { Connection, Reply } from './request.js' */

const RETRY_PAUSES_MS = [500, 1500];

/**
 * @typedef {{ outTradeNo: string, requestPayment: WechatMiniprogram.RequestPaymentOption }} Prepaid
 */

/** @param {Connection & { now: () => number, wait: (ms: number) => Promise<void> }} connection */
function createServer(connection) {
  const { wait } = connection;
  const session = createSession(connection);

  /**
   * @param {string} path
   * @param {string} proof
   * @param {object} [data]
   * @param {Record<string, string>} [header]
   * @param {boolean} [isRepeat]
   * @returns {Reply<any>}
   */
  async function sendAsBuyer(path, proof, data, header, isRepeat) {
    const opened = await session.open();
    if (opened.status) {
      return opened;
    }
    const authorization = `Bearer ${opened.token}`;
    const reply = await send(connection, path, proof, data, { ...header, authorization });
    if (reply.httpStatus !== 401 || isRepeat) {
      return reply;
    }
    session.expire(opened.token);
    return sendAsBuyer(path, proof, data, header, true);
  }

  return {
    login: () => retrying(wait, session.open),
    /** @type {(body: object, key: string) => Reply<Prepaid>} */
    prepay: (body, key) =>
      retrying(wait, () =>
        sendAsBuyer('/prepay', 'requestPayment', body, { 'idempotency-key': key }),
      ),
    /** @type {(outTradeNo: string) => Reply<Order>} */
    getOrder: (outTradeNo) => sendAsBuyer(pathOf(outTradeNo), 'tradeState'),
    /** @type {(outTradeNo: string) => Reply<Order>} */
    close: (outTradeNo) =>
      retrying(wait, () => sendAsBuyer(`${pathOf(outTradeNo)}/close`, 'tradeState', {})),
  };
}

/** @param {string} outTradeNo */
const pathOf = (outTradeNo) => `/orders/${encodeURIComponent(outTradeNo)}`;

/**
 * @template T
 * @param {(ms: number) => Promise<void>} wait
 * @param {() => Reply<T>} attempt
 * @returns {Reply<T>}
 */
async function retrying(wait, attempt, [pauseMs, ...pauses] = RETRY_PAUSES_MS) {
  const reply = await attempt();
  if (!pauseMs || !(/** @type {FailedResult} */ (reply).retryable)) {
    return reply;
  }
  await wait(pauseMs);
  return retrying(wait, attempt, pauses);
}

module.exports = { createServer };
