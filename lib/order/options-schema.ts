/** Shapes in which the deployment and a quote give the options of an order. */
import * as v from 'valibot';

const optionEntries = {
  goodsTag: v.optional(v.string()),
  limitPay: v.optional(v.literal('no_credit')),
  deviceInfo: v.optional(v.string()),
  storeInfo: v.optional(
    v.strictObject({
      id: v.string(),
      name: v.optional(v.string()),
      areaCode: v.optional(v.string()),
      address: v.optional(v.string()),
    }),
  ),
  receipt: v.optional(v.boolean()),
  profitSharing: v.optional(v.boolean()),
};

/** `ORDER_OPTIONS`: an unknown name is refused, because a misspelt one would be silently off. */
export const orderOptions = v.strictObject(optionEntries);

/** The same among the claims of a quote, where names of other purposes stand beside them. */
export const quoteOptions = v.object(optionEntries);

/** The claim `detail` of a quote. */
export const orderDetail = v.strictObject({
  costPriceFen: v.optional(v.number()),
  receiptId: v.optional(v.string()),
  goodsDetail: v.pipe(
    v.array(
      v.strictObject({
        merchantGoodsId: v.string(),
        wechatpayGoodsId: v.optional(v.string()),
        goodsName: v.optional(v.string()),
        quantity: v.number(),
        unitPriceFen: v.number(),
      }),
    ),
    v.minLength(1),
  ),
});
