/** The JSON inside v2 parameters: `detail` (商品详情) and `scene_info` (场景信息); lengths count UTF-8 bytes. */

type Json = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

function parseJsonObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText =
  (maxBytes: number): Check =>
  (value) =>
    typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= maxBytes;
const isInteger =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min;

/** What is there must be right; unknown names are left alone. */
const hasFields = (
  value: unknown,
  required: Record<string, Check>,
  optional: Record<string, Check>,
) =>
  isObject(value) &&
  Object.entries(required).every(([name, check]) => check(value[name])) &&
  Object.entries(optional).every(
    ([name, check]) => value[name] === undefined || check(value[name]),
  );

const isGoods: Check = (value) =>
  hasFields(
    value,
    { goods_id: isText(32), quantity: isInteger(1), price: isInteger(0) },
    {
      wxpay_goods_id: isText(32),
      goods_name: isText(256),
      goods_category: isText(32),
      body: isText(1000),
    },
  );

const isGoodsList: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((item: unknown) => isGoods(item));

/** `{"cost_price"?, "receipt_id"?, "goods_detail": [{"goods_id", "quantity", "price", …}]}` */
export const isGoodsDetail = (text: string): boolean =>
  hasFields(
    parseJsonObject(text),
    { goods_detail: isGoodsList },
    { cost_price: isInteger(0), receipt_id: isText(32) },
  );

/** `{"store_info": {"id", "name"?, "area_code"?, "address"?}}` */
export const isSceneInfo = (text: string): boolean =>
  hasFields(
    parseJsonObject(text),
    {
      store_info: (store) =>
        hasFields(
          store,
          { id: isText(32) },
          { name: isText(64), area_code: isText(6), address: isText(128) },
        ),
    },
    {},
  );
