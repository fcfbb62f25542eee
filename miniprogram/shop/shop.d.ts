/** The sample shop without its looks; `createShop` is checked against this file. */
import type { CloseResult, Language, Pay, PayResult } from '../pay/pay.js';

export type ShopWx = Pick<
  WechatMiniprogram.Wx,
  'showLoading' | 'hideLoading' | 'showToast' | 'showModal' | 'navigateTo'
>;

export interface Product {
  readonly sku: string;
  /** Chinese, English. */
  readonly name: readonly string[];
  readonly priceFen: number;
}

export interface ShopOptions {
  readonly pay: Pay;
  readonly wx: ShopWx;
  readonly language: Language;
  readonly products: readonly Product[];
  /** The product whose amount the buyer chooses. */
  readonly depositSku: string;
}

export interface Shop {
  readonly texts: Texts;
  /** `render` gets what changed, at once and after every tap; like `setData`. */
  openCatalogue(render: (data: Partial<CatalogueData>) => void): Catalogue;
  /** Shows the result that the catalogue has just got, or asks the server. */
  openOrder(outTradeNo: string, render: (data: Partial<OrderData>) => void): OrderPage;
  /** Whenever the app comes to the front: says what became of payments that were left open. */
  resume(): Promise<void>;
}

/** Each promise ends when the buyer has been told the result. */
export interface Catalogue {
  changeQuantity(sku: string, change: number): void;
  enter(field: 'depositNote' | 'depositAmount' | 'outTradeNo', text: string): void;
  payCart(): Promise<void>;
  payDeposit(): Promise<void>;
  findOrder(): Promise<void>;
}

export interface OrderPage {
  /** Ends when the order is shown. */
  readonly opened: Promise<void>;
  readonly check: () => Promise<void>;
  readonly payAgain: () => Promise<void>;
  /** Asks the buyer first. */
  readonly cancel: () => Promise<void>;
}

export interface CatalogueData {
  readonly texts: Texts;
  readonly rows: readonly ProductRow[];
  readonly total: string;
  readonly depositNote: string;
  readonly depositAmount: string;
  readonly outTradeNo: string;
  readonly isPaying: boolean;
}

export interface ProductRow {
  readonly sku: string;
  readonly name: string;
  /** Yuan, such as `28.00`; so are `total`, `amount` and `refunded`. */
  readonly price: string;
  readonly quantity: number;
}

/** A text without a value is empty. */
export interface OrderData {
  readonly texts: Texts;
  readonly status: (PayResult | CloseResult)['status'] | 'checking';
  readonly title: string;
  readonly hint: string;
  readonly outTradeNo: string;
  readonly amount: string;
  readonly refunded: string;
  readonly description: string;
  readonly paidAt: string;
  readonly transactionId: string;
  readonly requestId: string;
  readonly canCheck: boolean;
  readonly canPay: boolean;
  readonly canCancel: boolean;
}

export type Texts = Readonly<Record<TextName, string>>;

export type TextName =
  | 'shop'
  | 'shopHint'
  | 'total'
  | 'pay'
  | 'paying'
  | 'deposit'
  | 'depositNote'
  | 'depositAmount'
  | 'depositPay'
  | 'depositNoteMissing'
  | 'amountInvalid'
  | 'order'
  | 'orderNumber'
  | 'find'
  | 'checking'
  | 'checkAgain'
  | 'payAgain'
  | 'back'
  | 'amount'
  | 'description'
  | 'paidAt'
  | 'transactionId'
  | 'requestId'
  | 'priceChanged'
  | 'priceNow'
  | 'goOn'
  | 'leave'
  | 'ok'
  | 'paid'
  | 'refunded'
  | 'partlyRefunded'
  | 'refunding'
  | 'refundedAmount'
  | 'refundHint'
  | 'cancelOrder'
  | 'cancelQuestion'
  | 'cancelYes'
  | 'cancelNo'
  | 'cancelling'
  | 'closing'
  | 'closingHint'
  | 'closed'
  | 'closedHint'
  | 'cancelled'
  | 'cancelledHint'
  | 'unknown'
  | 'unknownHint'
  | 'failed';

export function createShop(options: ShopOptions): Shop;
