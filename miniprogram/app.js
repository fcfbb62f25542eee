const config = require('./config.js');
const { createPay } = require('./pay/pay.js');
const { createShop } = require('./shop/shop.js');

const language = wx.getAppBaseInfo().language.startsWith('zh') ? 'zh-CN' : 'en';
const pay = createPay({ baseUrl: config.baseUrl, language });
const shop = createShop({ ...config, pay, wx, language });

App({
  shop,

  onLaunch() {
    // Saves the first payment a round trip; when it fails, `pay` logs in itself.
    void pay.login();
  },

  onShow() {
    void shop.resume();
  },
});
