/** The first page: choose and pay, leave a deposit, look up an order. */
const { formatYuan, parseYuan } = require('./format.js');
/** @import { Counter } from './counter.js' */
/** @import { Catalogue, CatalogueData, ShopOptions } from './shop.js' */
/** @import { OrderToPay, PayResult } from '../pay/pay.js' */

/**
 * @param {Counter} counter
 * @param {Pick<ShopOptions, 'products' | 'depositSku'>} stock
 * @param {(data: Partial<CatalogueData>) => void} render
 * @returns {Catalogue}
 */
function openCatalogue(counter, { products, depositSku }, render) {
  const { pay, wx, texts, language } = counter;
  /** @type {Map<string, number>} */
  const quantities = new Map();
  /** The prices that the buyer was shown. */
  const prices = new Map(products.map(({ sku, priceFen }) => [sku, priceFen]));
  const fields = { depositNote: '', depositAmount: '', outTradeNo: '' };

  /** @param {string} sku */
  const priceOf = (sku) => prices.get(sku) ?? 0;
  /** @param {string} sku */
  const quantityOf = (sku) => quantities.get(sku) ?? 0;
  const totalFen = () => products.reduce((sum, { sku }) => sum + priceOf(sku) * quantityOf(sku), 0);

  function showCart() {
    const rows = products.map(({ sku, name: [chinese = sku, english = sku] }) => ({
      sku,
      name: language === 'en' ? english : chinese,
      price: formatYuan(priceOf(sku)),
      quantity: quantityOf(sku),
    }));
    render({ rows, total: formatYuan(totalFen()) });
  }

  /**
   * @param {string} sku
   * @param {number} change
   */
  function changeQuantity(sku, change) {
    quantities.set(sku, Math.max(0, quantityOf(sku) + change));
    showCart();
  }

  /** @type {Catalogue['enter']} */
  function enter(field, text) {
    fields[field] = text;
    render({ [field]: text });
  }

  function empty() {
    quantities.clear();
    Object.assign(fields, { depositNote: '', depositAmount: '' });
    render({ depositNote: '', depositAmount: '' });
    showCart();
  }

  async function payCart() {
    const items = products
      .map(({ sku }) => ({ sku, quantity: quantityOf(sku) }))
      .filter(({ quantity }) => quantity > 0);
    await checkOut(items.length ? { items, expectedTotalFen: totalFen() } : { items });
  }

  async function payDeposit() {
    const attach = fields.depositNote.trim();
    if (!attach) {
      return counter.toast(texts.depositNoteMissing);
    }
    const amountFen = parseYuan(fields.depositAmount);
    if (Number.isNaN(amountFen)) {
      return counter.toast(texts.amountInvalid);
    }
    const items = [{ sku: depositSku, quantity: 1, amountFen }];
    await checkOut({ items, attach, expectedTotalFen: amountFen });
  }

  /** @param {OrderToPay} order */
  async function checkOut(order) {
    render({ isPaying: true });
    const result = await counter.showBusy(texts.paying, () => pay.pay(order));
    render({ isPaying: false });
    await show(result, order);
  }

  /**
   * @param {PayResult} result
   * @param {OrderToPay} order
   */
  async function show(result, order) {
    if (result.status === 'failed' && result.reason === 'price-changed' && result.totalFen) {
      return offerNewPrice(result.totalFen, order);
    }
    if (result.status === 'failed' && !result.order) {
      return counter.showFailure(result);
    }
    if (result.status === 'paid') {
      empty();
    }
    const outTradeNo = result.status === 'unknown' ? result.outTradeNo : result.order?.outTradeNo;
    if (outTradeNo) {
      counter.goToOrder(outTradeNo, result);
    }
  }

  /**
   * @param {number} nowFen
   * @param {OrderToPay} order
   */
  async function offerNewPrice(nowFen, order) {
    const { confirm } = await wx.showModal({
      title: texts.priceChanged,
      content: texts.priceNow.replace('{price}', formatYuan(nowFen)),
      confirmText: texts.goOn,
      cancelText: texts.leave,
    });
    if (confirm) {
      await checkOut({ ...order, expectedTotalFen: nowFen });
    }
  }

  async function findOrder() {
    const outTradeNo = fields.outTradeNo.trim();
    if (outTradeNo) {
      return counter.goToOrder(outTradeNo);
    }
    const missing = await pay.resume(outTradeNo);
    if (missing.status === 'failed') {
      counter.showFailure(missing);
    }
  }

  render({ texts, ...fields, isPaying: false });
  showCart();
  return { changeQuantity, enter, payCart, payDeposit, findOrder };
}

module.exports = { openCatalogue };
