/** @import { InputReason } from './pay.js' */

/**
 * What can be told to be wrong with an order before anything is sent.
 *
 * @param {Record<string, any>} [order]
 * @returns {InputReason | undefined}
 */
function inputProblem({ outTradeNo, quote, items = [], expectedTotalFen } = {}) {
  if (outTradeNo === '') {
    return 'order-number-missing';
  }
  const isSomething = items.length > 0 && items.every((/** @type {any} */ { sku }) => sku);
  if (!outTradeNo && !quote && !isSomething) {
    return 'items-missing';
  }
  const amounts = [{ amountFen: expectedTotalFen }, ...items];
  return amounts.some(({ amountFen }) => amountFen <= 0) ? 'amount-zero' : undefined;
}

module.exports = { inputProblem };
