/** From the tap on "pay" to the page that shows the result. */
const { formatYuan } = require('./format.js');
/** @import { Counter } from './counter.js' */
/** @import { CatalogueData } from './shop.js' */
/** @import { OrderToPay, PayResult } from '../pay/pay.js' */

/**
 * The page that the buyer pays on; `empty` forgets what has been paid for.
 *
 * @typedef {{ render: (data: Partial<CatalogueData>) => void, empty: () => void }} PaidPage
 */

/**
 * @param {Counter} counter
 * @param {PaidPage} page
 * @param {OrderToPay} order
 */
async function checkOut(counter, page, order) {
  page.render({ isPaying: true });
  const result = await counter.showBusy(counter.texts.paying, () => counter.pay.pay(order));
  page.render({ isPaying: false });
  if (result.status === 'failed' && result.reason === 'price-changed' && result.totalFen) {
    await offerNewPrice(counter, page, order, result.totalFen);
  } else {
    showResult(counter, page, result);
  }
}

/**
 * @param {Counter} counter
 * @param {PaidPage} page
 * @param {OrderToPay} order
 * @param {number} nowFen
 */
async function offerNewPrice(counter, page, order, nowFen) {
  const { texts, wx } = counter;
  const { confirm } = await wx.showModal({
    title: texts.priceChanged,
    content: texts.priceNow.replace('{price}', formatYuan(nowFen)),
    confirmText: texts.goOn,
    cancelText: texts.leave,
  });
  if (confirm) {
    await checkOut(counter, page, { ...order, expectedTotalFen: nowFen });
  }
}

/**
 * @param {Counter} counter
 * @param {PaidPage} page
 * @param {PayResult} result
 */
function showResult(counter, page, result) {
  if (result.status === 'failed' && !result.order) {
    return counter.showFailure(result);
  }
  if (result.status === 'paid') {
    page.empty();
  }
  const outTradeNo = result.status === 'unknown' ? result.outTradeNo : result.order?.outTradeNo;
  if (outTradeNo) {
    counter.goToOrder(outTradeNo, result);
  }
}

module.exports = { checkOut };
