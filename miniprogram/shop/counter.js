/** What both pages need: WeChat's small windows and the way from one page to the other. */
const { textsFor } = require('./texts.js');
const { createWindows } = require('./windows.js');
/** @import { ShopOptions } from './shop.js' */
/** @import { PayResult } from '../pay/pay.js' */

/** @typedef {ReturnType<typeof createCounter>} Counter */

/** @param {Pick<ShopOptions, 'pay' | 'wx' | 'language'>} options */
function createCounter({ pay, wx, language }) {
  const texts = textsFor(language);
  /** @type {Map<string, PayResult>} */
  const results = new Map();

  /**
   * @param {string} outTradeNo
   * @param {PayResult} [result] what the page is to show; without one it asks the server
   */
  function goToOrder(outTradeNo, result) {
    if (result) {
      results.set(outTradeNo, result);
    }
    const query = `outTradeNo=${encodeURIComponent(outTradeNo)}`;
    void wx.navigateTo({ url: `/pages/order/order?${query}` });
  }

  /** @param {string} outTradeNo */
  function takeResult(outTradeNo) {
    const result = results.get(outTradeNo);
    results.delete(outTradeNo);
    return result;
  }

  return { pay, wx, language, texts, ...createWindows(wx, texts), goToOrder, takeResult };
}

module.exports = { createCounter };
