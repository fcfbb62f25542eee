/** @import { PayWx } from './pay.js' */

/**
 * One value in WeChat's storage. When the storage is full or broken the value lives in memory:
 * a payment goes on, it only does not survive a restart.
 *
 * @template T
 * @param {PayWx} wx
 * @param {string} name
 * @param {T} initial
 */
function stored(wx, name, initial) {
  let value = initial;
  try {
    value = wx.getStorageSync(name) || initial;
  } catch {}
  return {
    get: () => value,
    /** @param {T} next */
    set: (next) => {
      value = next;
      try {
        wx.setStorageSync(name, next);
      } catch {}
    },
  };
}

module.exports = { stored };
