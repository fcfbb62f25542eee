/**
 * What an order may say to WeChat besides price and description. None of it comes from the buyer's
 * client: it is set by the deployment, or signed by the merchant's backend in a quote. Limits are
 * the stricter of API v2 and v3, so that an order means the same in both.
 */
import { InvalidRequestError } from '../errors.ts';
import { assertFen, assertText, cutToBytes, type OrderItem, plainName } from './order.ts';
import { assertQuantity, type Product } from './pricing.ts';

/** A shop of the merchant (门店). */
export interface StoreInfo {
  readonly id: string;
  readonly name?: string | undefined;
  /** Administrative division code (行政区划码), 6 digits. */
  readonly areaCode?: string | undefined;
  readonly address?: string | undefined;
}

export interface OrderOptions {
  /** Coupon tag (订单优惠标记). */
  readonly goodsTag?: string | undefined;
  /** `no_credit`: no credit cards (指定支付方式). */
  readonly limitPay?: 'no_credit' | undefined;
  /** Terminal that took the order (设备号). */
  readonly deviceInfo?: string | undefined;
  readonly storeInfo?: StoreInfo | undefined;
  /** Offers an electronic invoice (电子发票) after the payment. */
  readonly receipt?: boolean | undefined;
  /** Freezes the money until it is split (分账). */
  readonly profitSharing?: boolean | undefined;
}

/** One line of what was bought (单品). Amounts in fen. */
export interface GoodsDetail {
  readonly merchantGoodsId: string;
  readonly wechatpayGoodsId?: string | undefined;
  readonly goodsName?: string | undefined;
  readonly quantity: number;
  readonly unitPriceFen: number;
}

/** Contents of an order, for promotions on single goods (单品优惠). */
export interface OrderDetail {
  readonly costPriceFen?: number | undefined;
  /** Number of the shop's own receipt (商品小票). */
  readonly receiptId?: string | undefined;
  readonly goodsDetail: readonly GoodsDetail[];
}

const MAX_ID_BYTES = 32;
const MAX_GOODS_NAME_BYTES = 256;
/** A merchant's own backend may sell a truckload of one thing. */
const MAX_GOODS_QUANTITY = 100_000_000;
/** v2: the whole of `detail` as JSON. */
const MAX_DETAIL_BYTES = 6000;
/** v2: 256 for the whole of `scene_info` as JSON, of which its envelope takes 16. */
const MAX_STORE_INFO_BYTES = 240;
/** Names of the catalogue are cut, so that a long cart fits. */
const MAX_CART_NAME_BYTES = 60;
const GOODS_ID = /^[0-9A-Za-z_-]{1,32}$/;

/** @throws {InvalidRequestError} for the first value that WeChat would refuse; `path` leads its name. */
export function assertOrderOptions(path: string, options: OrderOptions): void {
  const { goodsTag, deviceInfo, storeInfo } = options;
  if (goodsTag !== undefined) {
    assertText(`${path}.goodsTag`, goodsTag, MAX_ID_BYTES);
  }
  if (deviceInfo !== undefined) {
    assertText(`${path}.deviceInfo`, deviceInfo, MAX_ID_BYTES);
  }
  if (storeInfo) {
    assertStoreInfo(`${path}.storeInfo`, storeInfo);
  }
}

function assertStoreInfo(path: string, store: StoreInfo): void {
  assertText(`${path}.id`, store.id, MAX_ID_BYTES);
  if (store.name !== undefined) {
    assertText(`${path}.name`, store.name, MAX_STORE_INFO_BYTES);
  }
  if (store.address !== undefined) {
    assertText(`${path}.address`, store.address, MAX_STORE_INFO_BYTES);
  }
  if (store.areaCode !== undefined && !/^\d{6}$/.test(store.areaCode)) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field: `${path}.areaCode`,
      problem: '6 digits',
    });
  }
  assertLength(path, store, MAX_STORE_INFO_BYTES);
}

/** @throws {InvalidRequestError} for the first value that WeChat would refuse; `path` leads its name. */
export function assertOrderDetail(path: string, detail: OrderDetail): void {
  const { costPriceFen, receiptId, goodsDetail } = detail;
  if (costPriceFen !== undefined) {
    assertFen(`${path}.costPriceFen`, costPriceFen);
  }
  if (receiptId !== undefined) {
    assertText(`${path}.receiptId`, receiptId, MAX_ID_BYTES);
  }
  for (const [index, goods] of goodsDetail.entries()) {
    assertGoods(`${path}.goodsDetail[${index}]`, goods);
  }
  assertLength(path, detail, MAX_DETAIL_BYTES);
}

/** @throws {InvalidRequestError} for the first value that WeChat would refuse; `path` leads its name. */
export function assertGoods(path: string, goods: GoodsDetail): void {
  for (const name of ['merchantGoodsId', 'wechatpayGoodsId'] as const) {
    if (goods[name] !== undefined && !GOODS_ID.test(goods[name])) {
      throw new InvalidRequestError('INVALID_REQUEST', {
        field: `${path}.${name}`,
        problem: '1 to 32 letters, digits, _ or -',
      });
    }
  }
  if (goods.goodsName !== undefined) {
    assertText(`${path}.goodsName`, goods.goodsName, MAX_GOODS_NAME_BYTES);
  }
  assertQuantity(`${path}.quantity`, goods.quantity, MAX_GOODS_QUANTITY);
  assertFen(`${path}.unitPriceFen`, goods.unitPriceFen);
}

function assertLength(field: string, value: object, maxBytes: number): void {
  if (!isShortEnough(value, maxBytes)) {
    throw new InvalidRequestError('TEXT_TOO_LONG', { field, maxBytes });
  }
}

/**
 * What a cart from the catalogue says about its goods. Nothing when WeChat could not take it whole
 * (a `sku` that is no goods id, something free of charge, too many lines): the order is worth more
 * than its detail.
 */
export function detailOfCart(
  items: readonly OrderItem[],
  catalogue: ReadonlyMap<string, Product>,
): OrderDetail | undefined {
  const goodsDetail = items.map(({ sku, quantity, unitFen }) => ({
    merchantGoodsId: sku,
    goodsName: cutToBytes(
      plainName(catalogue.get(sku)?.name ?? sku),
      MAX_CART_NAME_BYTES,
    ).trimEnd(),
    quantity,
    unitPriceFen: unitFen,
  }));
  const isTaken = goodsDetail.every(
    ({ merchantGoodsId, unitPriceFen }) => GOODS_ID.test(merchantGoodsId) && unitPriceFen > 0,
  );
  return isTaken && isShortEnough({ goodsDetail }, MAX_DETAIL_BYTES) ? { goodsDetail } : undefined;
}

/**
 * Measured on our own spelling, which is never shorter than WeChat's: its names differ by fewer
 * bytes than `merchantGoodsId` alone has more.
 */
const isShortEnough = (value: object, maxBytes: number) =>
  Buffer.byteLength(JSON.stringify(value)) <= maxBytes;
