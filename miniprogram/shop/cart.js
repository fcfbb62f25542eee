/** What the buyer has chosen, at the prices that the buyer was shown. */
const { formatYuan } = require('./format.js');
/** @import { Language } from '../pay/pay.js' */
/** @import { Product } from './shop.js' */

/** @param {readonly Product[]} products */
function createCart(products) {
  /** @type {Map<string, number>} */
  const quantities = new Map();

  /** @param {string} sku */
  const quantityOf = (sku) => quantities.get(sku) ?? 0;
  const totalFen = () =>
    products.reduce((sum, { sku, priceFen }) => sum + priceFen * quantityOf(sku), 0);

  return {
    /**
     * @param {string} sku
     * @param {number} change
     */
    changeQuantity: (sku, change) => {
      quantities.set(sku, Math.max(0, quantityOf(sku) + change));
    },
    empty: () => quantities.clear(),
    totalFen,
    items: () =>
      products
        .map(({ sku }) => ({ sku, quantity: quantityOf(sku) }))
        .filter(({ quantity }) => quantity > 0),
    /** @param {Language} language */
    show: (language) => ({
      rows: products.map(({ sku, priceFen, name: [chinese = sku, english = sku] }) => ({
        sku,
        name: language === 'en' ? english : chinese,
        price: formatYuan(priceFen),
        quantity: quantityOf(sku),
      })),
      total: formatYuan(totalFen()),
    }),
  };
}

module.exports = { createCart };
