/** @import { OrderData, OrderPage, Shop } from '../../shop/shop.js' */

const { shop } = /** @type {{ shop: Shop }} */ (getApp());

Page({
  /** @type {Partial<OrderData>} */
  data: {},
  /** @type {OrderPage | undefined} */
  order: undefined,

  /** @param {Record<string, string | undefined>} query */
  onLoad({ outTradeNo = '' }) {
    void wx.setNavigationBarTitle({ title: shop.texts.order });
    this.order = shop.openOrder(decodeURIComponent(outTradeNo), (data) => this.setData(data));
  },

  tapCheck() {
    return this.order?.check();
  },

  tapPay() {
    return this.order?.payAgain();
  },

  tapCancel() {
    return this.order?.cancel();
  },

  tapBack() {
    void wx.navigateBack();
  },
});
