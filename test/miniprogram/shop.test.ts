/** The sample shop: what a tap does and what the pages show, over the real client. */
import { describe, expect, test } from 'vitest';
import { createShop } from '../../miniprogram/shop/shop.js';
import type { CatalogueData, OrderData } from '../../miniprogram/shop/shop.js';
import {
  CLOSED,
  CLOSING,
  createPhone,
  LOST,
  ok,
  OUT_TRADE_NO,
  PAID,
  PREPAID,
  refused,
  UNPAID,
} from './phone.ts';

const PRODUCTS = [
  { sku: 'latte', name: ['拿铁', 'Latte'], priceFen: 2800 },
  { sku: 'cookie', name: ['曲奇', 'Cookie'], priceFen: 1 },
];

const ORDER_PAGE = `/pages/order/order?outTradeNo=${OUT_TRADE_NO}`;

/** A shop on a phone; keeps what the buyer saw. */
function openShop(language: 'zh-CN' | 'en' = 'zh-CN', confirm = true) {
  const phone = createPhone({ language });
  const seen: Record<'loading' | 'toasts' | 'pages', string[]> & { modals: object[] } = {
    loading: [],
    toasts: [],
    modals: [],
    pages: [],
  };
  const wx = {
    showLoading: async ({ title }: { title: string }) => void seen.loading.push(title),
    hideLoading: async () => void seen.loading.push('done'),
    showToast: async ({ title }: { title: string }) => void seen.toasts.push(title),
    showModal: async (options: object) => {
      seen.modals.push(options);
      return { confirm };
    },
    navigateTo: async ({ url }: { url: string }) => void seen.pages.push(url),
  };
  const shop = createShop({
    pay: phone.pay,
    wx,
    language,
    products: PRODUCTS,
    depositSku: 'deposit',
  });
  const catalogueData: Partial<CatalogueData> = {};
  const catalogue = shop.openCatalogue((data) => Object.assign(catalogueData, data));
  const openOrder = () => {
    const data: Partial<OrderData> = {};
    return { data, ...shop.openOrder(OUT_TRADE_NO, (changes) => Object.assign(data, changes)) };
  };
  return { phone, seen, shop, catalogue, catalogueData, openOrder };
}

describe('the catalogue', () => {
  test.each([
    ['zh-CN' as const, '拿铁', '微信支付'],
    ['en' as const, 'Latte', 'Pay with WeChat'],
  ])('speaks %s', (language, name, pay) => {
    const { catalogueData } = openShop(language);

    expect(catalogueData.rows?.[0]).toEqual({ sku: 'latte', name, price: '28.00', quantity: 0 });
    expect(catalogueData.texts?.pay).toBe(pay);
  });

  test('counts, never below zero, and adds up in fen', () => {
    const { catalogue, catalogueData } = openShop();
    catalogue.changeQuantity('latte', 1);
    catalogue.changeQuantity('latte', 1);
    catalogue.changeQuantity('cookie', 1);
    catalogue.changeQuantity('cookie', -1);
    catalogue.changeQuantity('cookie', -1);

    expect(catalogueData.rows?.map(({ quantity }) => quantity)).toEqual([2, 0]);
    expect(catalogueData.total).toBe('56.00');
  });

  test('pays the cart at the price that was shown, and goes to the order', async () => {
    const { catalogue, catalogueData, phone, seen, openOrder } = openShop();
    catalogue.changeQuantity('latte', 1);
    catalogue.changeQuantity('cookie', 2);
    await catalogue.payCart();
    const { data, opened } = openOrder();
    await opened;

    expect(phone.sentTo('/prepay').map((request) => request.data)).toEqual([
      {
        items: [
          { sku: 'latte', quantity: 1 },
          { sku: 'cookie', quantity: 2 },
        ],
        expectedTotalFen: 2802,
      },
    ]);
    expect(seen.pages).toEqual([ORDER_PAGE]);
    expect(seen.loading).toEqual(['支付中', 'done']);
    expect(data).toMatchObject({
      status: 'paid',
      title: '支付成功',
      amount: '28.00',
      transactionId: PAID.transactionId,
      canPay: false,
      canCheck: false,
    });
    expect(phone.sentTo('/orders')).toHaveLength(1);
    expect(catalogueData).toMatchObject({ total: '0.00', isPaying: false });
  });

  test('without a choice says so, and sends nothing', async () => {
    const { catalogue, phone, seen } = openShop();
    await catalogue.payCart();

    expect(seen).toMatchObject({ toasts: ['请选择商品'], modals: [], pages: [] });
    expect(phone.requests).toEqual([]);
  });

  test('keeps the cart when the buyer cancels', async () => {
    const { catalogue, catalogueData, phone } = openShop();
    phone.sheet('requestPayment:fail cancel');
    phone.answer('/orders', ok(UNPAID));
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();

    expect(catalogueData.total).toBe('28.00');
  });

  test('asks the buyer when the price has changed, and pays the new one', async () => {
    const { catalogue, phone, seen } = openShop();
    phone.answer('/prepay', refused(409, 'PRICE_CHANGED', { totalFen: 3000 }), ok(PREPAID));
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();

    expect(seen.modals).toMatchObject([{ content: '现在的价格是 ¥30.00，继续支付吗？' }]);
    expect(phone.sentTo('/prepay').at(-1)).toMatchObject({ data: { expectedTotalFen: 3000 } });
    expect(seen.pages).toEqual([ORDER_PAGE]);
  });

  test('pays nothing when the buyer does not want the new price', async () => {
    const { catalogue, phone, seen } = openShop('zh-CN', false);
    phone.answer('/prepay', refused(409, 'PRICE_CHANGED', { totalFen: 3000 }));
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();

    expect(phone.sheets).toEqual([]);
    expect(seen.pages).toEqual([]);
  });

  test('shows a failure with the request id for support', async () => {
    const { catalogue, phone, seen } = openShop('en');
    phone.answer('/prepay', refused(500, 'CONFIG_ERROR'));
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();

    expect(seen.modals).toMatchObject([
      { title: 'Payment failed', content: 'text of CONFIG_ERROR\nRequest id: request-1' },
    ]);
  });
});

describe('a deposit', () => {
  test.each([
    ['', '5', '请填写用途', 'Say what the deposit is for.'],
    [' ', '5', '请填写用途', 'Say what the deposit is for.'],
    ['周六四人桌', '', '金额必须大于 0', 'The amount must be above 0.'],
    ['周六四人桌', '0.00', '金额必须大于 0', 'The amount must be above 0.'],
    [
      '周六四人桌',
      '0.001',
      '请填写金额，最多两位小数',
      'Enter an amount with at most two decimals.',
    ],
    ['周六四人桌', '-1', '请填写金额，最多两位小数', 'Enter an amount with at most two decimals.'],
  ])('for "%s" of "%s" yuan is not sent', async (note, amount, chinese, english) => {
    for (const [language, message] of [
      ['zh-CN', chinese],
      ['en', english],
    ] as const) {
      const { catalogue, phone, seen } = openShop(language);
      catalogue.enter('depositNote', note);
      catalogue.enter('depositAmount', amount);
      await catalogue.payDeposit();

      expect(seen.toasts).toEqual([message]);
      expect(phone.requests).toEqual([]);
    }
  });

  test.each([
    ['19.99', 1999],
    ['0.01', 1],
    ['5', 500],
    [' 1.1 ', 110],
  ])('of "%s" yuan is %i fen, with its note', async (amount, amountFen) => {
    const { catalogue, catalogueData, phone } = openShop();
    catalogue.enter('depositNote', ' 周六四人桌 ');
    catalogue.enter('depositAmount', amount);
    await catalogue.payDeposit();

    expect(phone.sentTo('/prepay')).toMatchObject([
      {
        data: {
          items: [{ sku: 'deposit', quantity: 1, amountFen }],
          attach: '周六四人桌',
          expectedTotalFen: amountFen,
        },
      },
    ]);
    expect(catalogueData).toMatchObject({ depositNote: '', depositAmount: '' });
  });
});

describe('looking up an order', () => {
  test('without its number says so', async () => {
    const { catalogue, seen } = openShop();
    await catalogue.findOrder();

    expect(seen).toMatchObject({ toasts: ['缺少订单号'], pages: [] });
  });

  test('opens its page, which asks the server', async () => {
    const { catalogue, seen, openOrder } = openShop();
    catalogue.enter('outTradeNo', ` ${OUT_TRADE_NO} `);
    await catalogue.findOrder();
    const { data, opened } = openOrder();
    expect(data.status).toBe('checking');
    await opened;

    expect(seen.pages).toEqual([ORDER_PAGE]);
    expect(data).toMatchObject({ status: 'paid', title: '支付成功' });
  });

  test('that is not there can be repeated', async () => {
    const { phone, openOrder } = openShop();
    phone.answer('/orders', refused(404, 'ORDER_NOT_FOUND'));
    const { data, opened } = openOrder();
    await opened;

    expect(data).toMatchObject({
      status: 'failed',
      hint: 'text of ORDER_NOT_FOUND',
      requestId: 'request-1',
      canPay: false,
      canCheck: true,
    });
  });
});

describe('the order page', () => {
  test('of an unpaid order pays it', async () => {
    const { phone, openOrder } = openShop();
    phone.answer('/orders', ok(UNPAID), ok(PAID));
    const { data, opened, payAgain } = openOrder();
    await opened;
    expect(data).toMatchObject({ status: 'cancelled', title: '未支付', canPay: true });
    await payAgain();

    expect(phone.sentTo('/prepay')).toMatchObject([
      { data: { outTradeNo: OUT_TRADE_NO, expectedTotalFen: 2800 } },
    ]);
    expect(data).toMatchObject({ status: 'paid', canPay: false });
  });

  test('of an unknown payment warns, offers no payment, and checks again', async () => {
    const { catalogue, phone, openOrder } = openShop();
    phone.answer('/orders', LOST);
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();
    const { data, opened, check } = openOrder();
    await opened;
    expect(data).toMatchObject({
      status: 'unknown',
      hint: '如已付款，请勿重复支付，稍后再查询',
      canCheck: true,
      canPay: false,
    });
    phone.answer('/orders', ok(PAID));
    await check();

    expect(data).toMatchObject({ status: 'paid', canCheck: false });
  });

  test('of a failed payment says why and lets the buyer try again', async () => {
    const { catalogue, phone, openOrder } = openShop();
    phone.sheet('requestPayment:fail 下单账号与支付账号不一致，请核实后再支付');
    phone.answer('/orders', ok(UNPAID));
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();
    const { data, opened } = openOrder();
    await opened;

    expect(data).toMatchObject({ status: 'failed', hint: '请用下单的微信号支付', canPay: true });
  });

  test.each([
    ['REFUND', 2800, '已退款', '28.00'],
    ['REFUND', 1000, '已部分退款', '10.00'],
    // WeChat has not taken it up yet.
    ['SUCCESS', 1000, '退款处理中', '10.00'],
    // An API that does not tell how much.
    ['REFUND', undefined, '已退款', ''],
  ])('of an order %s with %s fen given back says "%s"', async (state, fen, title, refunded) => {
    const { phone, openOrder } = openShop();
    const refundedFen = fen === undefined ? {} : { refundedFen: fen };
    phone.answer('/orders', ok({ ...PAID, tradeState: state, ...refundedFen }));
    const { data, opened } = openOrder();
    await opened;

    expect(data).toMatchObject({ status: 'paid', title, refunded, canCancel: false });
    expect(data.hint).toBe(refunded && '退款原路退回，到账以微信通知为准');
  });

  test('of an order of which nothing was given back says nothing about it', async () => {
    const { openOrder } = openShop();
    const { data, opened } = openOrder();
    await opened;

    expect(data).toMatchObject({ status: 'paid', title: '支付成功', refunded: '', hint: '' });
  });

  test('of an unpaid order offers to cancel it, asks first, and shows that it is closed', async () => {
    const { phone, seen, openOrder } = openShop();
    phone.answer('/orders', ok(UNPAID));
    const { data, opened, cancel } = openOrder();
    await opened;
    expect(data.canCancel).toBe(true);
    await cancel();

    expect(seen.modals).toEqual([
      {
        title: '取消订单',
        content: '取消后不能再支付这笔订单，确定取消吗？',
        confirmText: '取消订单',
        cancelText: '不取消',
      },
    ]);
    expect(seen.loading.slice(-2)).toEqual(['取消中', 'done']);
    expect(data).toMatchObject({
      status: 'closed',
      title: '订单已关闭',
      hint: '没有扣款',
      canPay: false,
      canCancel: false,
      canCheck: false,
    });
  });

  test('of an order that the buyer keeps sends nothing', async () => {
    const { phone, openOrder } = openShop('zh-CN', false);
    phone.answer('/orders', ok(UNPAID));
    const { data, opened, cancel } = openOrder();
    await opened;
    await cancel();

    expect(phone.sentTo('/orders')).toHaveLength(1);
    expect(data).toMatchObject({ status: 'cancelled', canPay: true, canCancel: true });
  });

  test('of an order that WeChat cannot close yet warns, and checks until it is closed', async () => {
    const { phone, openOrder } = openShop('en');
    phone.answer('/orders', ok(UNPAID), ok(CLOSING), ok(CLOSED));
    phone.answer('/close', ok(CLOSING, 202));
    const { data, opened, check, cancel } = openOrder();
    await opened;
    await cancel();
    const closing = {
      status: 'closing',
      title: 'Being cancelled',
      canPay: false,
      canCancel: false,
      canCheck: true,
    };
    expect(data).toMatchObject(closing);
    await check();
    expect(data).toMatchObject(closing);
    await check();

    expect(data).toMatchObject({ status: 'closed', title: 'Order closed', canCheck: false });
  });

  test('of an order that was paid in the meantime says so', async () => {
    const { phone, openOrder } = openShop();
    phone.answer('/orders', ok(UNPAID));
    phone.answer('/close', ok(PAID));
    const { data, opened, cancel } = openOrder();
    await opened;
    await cancel();

    expect(data).toMatchObject({ status: 'paid', title: '支付成功', canCancel: false });
  });

  test('of an order that could not be cancelled says why and stays as it is', async () => {
    const { phone, seen, openOrder } = openShop();
    phone.answer('/orders', ok(UNPAID));
    phone.answer('/close', LOST);
    const { data, opened, cancel } = openOrder();
    await opened;
    await cancel();

    expect(seen.modals.at(-1)).toMatchObject({ content: '网络异常，请重试' });
    expect(data).toMatchObject({ status: 'cancelled', canPay: true, canCancel: true });
  });
});

describe('the shop that comes back to the front', () => {
  test('tells the buyer of a payment that was left open', async () => {
    const { catalogue, phone, seen, shop } = openShop();
    phone.answer('/orders', LOST);
    catalogue.changeQuantity('latte', 1);
    await catalogue.payCart();
    phone.answer('/orders', ok(PAID));
    await shop.resume();

    expect(seen.toasts).toEqual(['支付成功 ¥28.00']);
  });

  test('says nothing when nothing was left open', async () => {
    const { seen, shop } = openShop();
    await shop.resume();

    expect(seen.toasts).toEqual([]);
  });
});
