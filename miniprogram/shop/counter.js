/** What both pages need: WeChat's small windows and the way from one page to the other. */
const { textsFor } = require('./texts.js');
/** @import { ShopOptions } from './shop.js' */
/** @import { FailedResult, PayResult } from '../pay/pay.js' */

/** @typedef {ReturnType<typeof createCounter>} Counter */

/** @param {Pick<ShopOptions, 'pay' | 'wx' | 'language'>} options */
function createCounter({ pay, wx, language }) {
  const texts = textsFor(language);
  /** @type {Map<string, PayResult>} */
  const results = new Map();

  /** @param {string} title */
  const toast = (title) => void wx.showToast({ title, icon: 'none' });

  /**
   * @template T
   * @param {string} title
   * @param {() => Promise<T>} work
   */
  async function showBusy(title, work) {
    void wx.showLoading({ title, mask: true });
    try {
      return await work();
    } finally {
      void wx.hideLoading();
    }
  }

  /**
   * What the buyer can mend at once is said in passing, the rest has to be read.
   *
   * @param {FailedResult} failure
   */
  function showFailure({ message, httpStatus, requestId }) {
    if (httpStatus === undefined) {
      return toast(message);
    }
    void wx.showModal({
      title: texts.failed,
      content: requestId ? `${message}\n${texts.requestId}: ${requestId}` : message,
      showCancel: false,
      confirmText: texts.ok,
    });
  }

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

  return { pay, wx, language, texts, toast, showBusy, showFailure, goToOrder, takeResult };
}

module.exports = { createCounter };
