/** The optional parameters of `unifiedorder`, in its own words. */
import type { OrderDetail, StoreInfo } from '../../order/options.ts';
import type { PrepayOrder } from '../operations.ts';

/** JSON among the values is written once and signed as it is. */
export function optionFields({
  detail,
  options = {},
}: Pick<PrepayOrder, 'detail' | 'options'>): Readonly<Record<string, string>> {
  const { goodsTag, limitPay, deviceInfo, storeInfo, receipt, profitSharing } = options;
  return {
    // Version 1.0 is what makes WeChat read `detail` as goods, for promotions on single ones.
    ...(detail && { version: '1.0', detail: detailJson(detail) }),
    ...(goodsTag !== undefined && { goods_tag: goodsTag }),
    ...(limitPay !== undefined && { limit_pay: limitPay }),
    ...(deviceInfo !== undefined && { device_info: deviceInfo }),
    ...(storeInfo && { scene_info: sceneInfoJson(storeInfo) }),
    ...(receipt && { receipt: 'Y' }),
    ...(profitSharing !== undefined && { profit_sharing: profitSharing ? 'Y' : 'N' }),
  };
}

function detailJson({ costPriceFen, receiptId, goodsDetail }: OrderDetail): string {
  return JSON.stringify({
    cost_price: costPriceFen,
    receipt_id: receiptId,
    goods_detail: goodsDetail.map((goods) => ({
      goods_id: goods.merchantGoodsId,
      wxpay_goods_id: goods.wechatpayGoodsId,
      goods_name: goods.goodsName,
      quantity: goods.quantity,
      price: goods.unitPriceFen,
    })),
  });
}

function sceneInfoJson({ id, name, areaCode, address }: StoreInfo): string {
  return JSON.stringify({ store_info: { id, name, area_code: areaCode, address } });
}
