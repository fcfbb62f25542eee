/** @import { Catalogue, CatalogueData, Shop } from '../../shop/shop.js' */

const { shop } = /** @type {{ shop: Shop }} */ (getApp());

Page({
  /** @type {Partial<CatalogueData>} */
  data: {},
  /** @type {Catalogue | undefined} */
  catalogue: undefined,

  onLoad() {
    void wx.setNavigationBarTitle({ title: shop.texts.shop });
    this.catalogue = shop.openCatalogue((data) => this.setData(data));
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  tapQuantity({ currentTarget }) {
    const { sku, change } = currentTarget.dataset;
    this.catalogue?.changeQuantity(sku, Number(change));
  },

  /** @param {WechatMiniprogram.Input} event */
  enter({ currentTarget, detail }) {
    this.catalogue?.enter(currentTarget.dataset['field'], detail.value);
  },

  tapPay() {
    return this.catalogue?.payCart();
  },

  tapDeposit() {
    return this.catalogue?.payDeposit();
  },

  tapFind() {
    return this.catalogue?.findOrder();
  },
});
