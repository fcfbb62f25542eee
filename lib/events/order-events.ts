/** The events of an order's row. */
import { GOODS_KINDS, type GoodsKind } from '../order/goods-kind.ts';
import {
  countOf,
  type Item,
  oneOf,
  optionalListOf,
  optionalStringOf,
  stringOf,
  text,
} from '../table/attributes.ts';
import { orderIdOf } from '../table/schema.ts';
import type { Fact } from './fact.ts';
import {
  contradictionOf,
  type Detail,
  earlierFact,
  eventName,
  namedMerchant,
  partiesOf,
  type RowKind,
} from './kind.ts';

/** An order's row: what became of the order, and what contradicts it. */
export const orderKind: RowKind = {
  nameOf: (key) => {
    const id = orderIdOf(key);
    return id && eventName(id.merchantKey, id.outTradeNo);
  },
  common: (row) => {
    const id = orderIdOf({ PK: stringOf(row, 'PK'), SK: 'ORDER' });
    return {
      outTradeNo: id?.outTradeNo,
      merchantKey: id && namedMerchant(id.merchantKey),
      ...partiesOf(row),
      attach: optionalStringOf(row, 'attach'),
      totalFen: countOf(row, 'totalFen'),
      currency: stringOf(row, 'currency'),
    };
  },
  events: {
    PAID: {
      detailType: 'Order Paid',
      detail: (row, fact) => ({ ...goodsOf(row), ...paymentOf(row, fact) }),
    },
    CLOSED: { detailType: 'Order Closed', detail: goodsOf },
    UNSETTLED: {
      detailType: 'Order Unsettled',
      detail: (row, fact) => ({ ...goodsOf(row), cause: stringOf(fact.values, 'reason') }),
    },
    PAID_AFTER_CLOSE: {
      detailType: 'Payment After Close',
      detail: (row, fact) => ({
        ...goodsOf(row),
        ...paymentOf(row, fact),
        paymentAfterClose: oneOf(fact.values, 'paymentAfterClose', ['keep', 'refund']),
      }),
    },
    MISMATCH: {
      detailType: 'Payment Mismatch',
      detail: (row, fact) => ({
        ...goodsOf(row),
        transactionId: stringOf(fact.values, 'transactionId'),
        paymentFen: countOf(fact.values, 'totalFen'),
        ...contradictionOf(fact),
      }),
    },
    REFUND_MISMATCH: {
      detailType: 'Refund Mismatch',
      detail: (_row, fact) => ({
        outRefundNo: stringOf(fact.values, 'outRefundNo'),
        refundFen: countOf(fact.values, 'refundFen'),
        ...contradictionOf(fact),
      }),
    },
  },
  earlierFacts: (row) => {
    const tradeState = optionalStringOf(row, 'tradeState');
    const paidAt = optionalStringOf(row, 'paidAt');
    const closedAt = optionalStringOf(row, 'closedAt') ?? optionalStringOf(row, 'updatedAt');
    if (paidAt !== undefined) {
      return [earlierPayment(row, paidAt)];
    }
    return tradeState === 'CLOSED' && closedAt !== undefined
      ? [earlierFact('CLOSED', closedAt, 0)]
      : [];
  },
};

/** Whether it was first seen as refunded, the row does not say: it was paid. */
function earlierPayment(row: Item, paidAt: string): Fact {
  const tradeState = text('SUCCESS');
  const { paymentAfterClose = text('keep') } = row;
  return row['paidAfterClose']?.BOOL === true
    ? earlierFact('PAID_AFTER_CLOSE', paidAt, 0, { tradeState, paymentAfterClose })
    : earlierFact('PAID', paidAt, 0, { tradeState });
}

/** What was ordered. */
function goodsOf(row: Item): Detail {
  const items = optionalListOf(row, 'items')?.map(({ M: item = {} }) => ({
    sku: stringOf(item, 'sku'),
    quantity: countOf(item, 'quantity'),
    unitFen: countOf(item, 'unitFen'),
    kind: kindOf(item),
  }));
  return { description: stringOf(row, 'description'), kind: orderKindOf(row, items), items };
}

const kindOf = (item: Item): GoodsKind =>
  item['kind'] === undefined ? 'physical' : oneOf(item, 'kind', GOODS_KINDS);

/** A cart is of its lines' kinds: as soon as one of them is physical, there is something to ship. */
function orderKindOf(row: Item, items: readonly { readonly kind: GoodsKind }[] = []): GoodsKind {
  const kinds = items.map(({ kind }) => kind);
  return row['kind'] === undefined && !kinds.includes('physical')
    ? (kinds[0] ?? 'physical')
    : kindOf(row);
}

function paymentOf(row: Item, { values }: Fact): Detail {
  return {
    transactionId: stringOf(row, 'transactionId'),
    paidAt: stringOf(row, 'paidAt'),
    tradeState: oneOf(values, 'tradeState', ['SUCCESS', 'REFUND']),
    bankType: optionalStringOf(row, 'bankType'),
  };
}
