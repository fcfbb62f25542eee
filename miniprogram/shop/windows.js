/** WeChat's small windows over a page. */
/** @import { ShopWx, Texts } from './shop.js' */
/** @import { FailedResult } from '../pay/pay.js' */

/**
 * @param {ShopWx} wx
 * @param {Texts} texts
 */
function createWindows(wx, texts) {
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
    const content = requestId ? `${message}\n${texts.requestId}: ${requestId}` : message;
    void wx.showModal({ title: texts.failed, content, showCancel: false, confirmText: texts.ok });
  }

  return { toast, showBusy, showFailure };
}

module.exports = { createWindows };
