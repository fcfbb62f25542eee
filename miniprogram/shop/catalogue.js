/** The first page: choose and pay, leave a deposit, look up an order. */
const { createCart } = require('./cart.js');
const { checkOut } = require('./checkout.js');
const { parseYuan } = require('./format.js');
/** @import { Counter } from './counter.js' */
/** @import { Catalogue, CatalogueData, ShopOptions } from './shop.js' */
/** @import { PaidPage } from './checkout.js' */

const EMPTY_DEPOSIT = { depositNote: '', depositAmount: '' };

/** @typedef {typeof EMPTY_DEPOSIT & { outTradeNo: string }} Fields */

/**
 * @param {Counter} counter
 * @param {Pick<ShopOptions, 'products' | 'depositSku'>} stock
 * @param {(data: Partial<CatalogueData>) => void} render
 * @returns {Catalogue}
 */
function openCatalogue(counter, { products, depositSku }, render) {
  const cart = createCart(products);
  const fields = { ...EMPTY_DEPOSIT, outTradeNo: '' };
  const showCart = () => render(cart.show(counter.language));

  function empty() {
    cart.empty();
    Object.assign(fields, EMPTY_DEPOSIT);
    render({ ...EMPTY_DEPOSIT, ...cart.show(counter.language) });
  }
  const page = { render, empty };

  render({ texts: counter.texts, ...fields, isPaying: false });
  showCart();
  return {
    changeQuantity: (sku, change) => {
      cart.changeQuantity(sku, change);
      showCart();
    },
    enter: (field, text) => {
      fields[field] = text;
      render({ [field]: text });
    },
    payCart: () => payCart(counter, page, cart),
    payDeposit: () => payDeposit(counter, page, depositSku, fields),
    findOrder: () => findOrder(counter, fields),
  };
}

/**
 * @param {Counter} counter
 * @param {PaidPage} page
 * @param {ReturnType<typeof createCart>} cart
 */
async function payCart(counter, page, cart) {
  const items = cart.items();
  const order = items.length ? { items, expectedTotalFen: cart.totalFen() } : { items };
  await checkOut(counter, page, order);
}

/**
 * @param {Counter} counter
 * @param {PaidPage} page
 * @param {string} sku
 * @param {Fields} fields
 */
async function payDeposit(counter, page, sku, { depositNote, depositAmount }) {
  const { texts, toast } = counter;
  const attach = depositNote.trim();
  if (!attach) {
    return toast(texts.depositNoteMissing);
  }
  const amountFen = parseYuan(depositAmount);
  if (Number.isNaN(amountFen)) {
    return toast(texts.amountInvalid);
  }
  const items = [{ sku, quantity: 1, amountFen }];
  await checkOut(counter, page, { items, attach, expectedTotalFen: amountFen });
}

/**
 * @param {Counter} counter
 * @param {Fields} fields
 */
async function findOrder(counter, fields) {
  const outTradeNo = fields.outTradeNo.trim();
  if (outTradeNo) {
    return counter.goToOrder(outTradeNo);
  }
  const missing = await counter.pay.resume(outTradeNo);
  if (missing.status === 'failed') {
    counter.showFailure(missing);
  }
}

module.exports = { openCatalogue };
