/** What you change first. */
module.exports = {
  /** Your API. The local stack (`npm start`) needs "不校验合法域名" in the developer tools. */
  baseUrl: 'http://127.0.0.1:3000',

  /** What the shop shows. The server charges the prices in its own table, never these. */
  products: [
    { sku: 'latte', name: ['拿铁', 'Latte'], priceFen: 2800 },
    { sku: 'cookie', name: ['曲奇', 'Cookie'], priceFen: 1 },
    { sku: 'mooncake', name: ['中秋月饼礼盒', 'Mooncake gift box'], priceFen: 16_800 },
  ],

  /** The product whose amount the buyer chooses. */
  depositSku: 'deposit',
};
