/** The demo shop: what can be bought from the local stack right away. */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { GoodsKind } from '../../lib/order/goods-kind.ts';
import { productKey } from '../../lib/table/schema.ts';
import { createLocalClient } from '../aws/dynamodb.ts';

type Product = {
  readonly sku: string;
  readonly name: string;
  readonly kind?: GoodsKind;
  readonly active?: boolean;
} & ({ readonly priceFen: number } | { readonly minFen: number; readonly maxFen: number });

const DEMO_PRODUCTS: readonly Product[] = [
  { sku: 'latte', name: '拿铁 Latte', priceFen: 2800 },
  { sku: 'cookie', name: '曲奇 Cookie', priceFen: 1 },
  { sku: 'mooncake', name: '中秋月饼礼盒', priceFen: 16_800 },
  { sku: 'deposit', name: '订座定金 Deposit', kind: 'service', minFen: 1, maxFen: 100_000 },
  // Refused unless the functions have ALLOW_VIRTUAL_GOODS.
  { sku: 'membership', name: '年度会员 Membership', kind: 'virtual', priceFen: 9900 },
  { sku: 'pumpkin-latte', name: '南瓜拿铁 (已下架)', priceFen: 3200, active: false },
];

/** Adds the products that are not there; a row that somebody changed stays as it is. */
export async function seedCatalogue(endpoint: string, tableName: string): Promise<void> {
  const client = createLocalClient(endpoint);
  try {
    for (const product of DEMO_PRODUCTS) {
      const Item = { ...toKey(product.sku), ...toAttributes(product) };
      await client
        .send(
          new PutItemCommand({
            TableName: tableName,
            Item,
            ConditionExpression: 'attribute_not_exists(PK)',
          }),
        )
        .catch((error: unknown) => {
          if (!(error instanceof ConditionalCheckFailedException)) {
            throw error;
          }
        });
    }
  } finally {
    client.destroy();
  }
}

function toKey(sku: string): Record<string, AttributeValue> {
  const { PK, SK } = productKey(sku);
  return { PK: { S: PK }, SK: { S: SK } };
}

function toAttributes(product: Product): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(product).map(([name, value]): [string, AttributeValue] => {
      if (typeof value === 'number') {
        return [name, { N: String(value) }];
      }
      if (typeof value === 'boolean') {
        return [name, { BOOL: value }];
      }
      return [name, { S: value }];
    }),
  );
}
