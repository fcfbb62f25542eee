/** Spreads rows over the partitions of an index, so that no one of them takes every write. */
import type { OrderId } from '../order/order-id.ts';

/** A shard as keys name it. */
export const twoDigits = (value: number) => value.toString().padStart(2, '0');

/** FNV-1a over the number: even, stable, and independent of how numbers are made. */
export function shardOf({ outTradeNo }: OrderId, shards: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(outTradeNo)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % shards;
}

/** How many `GSI3PK` values the payments of one day are spread over, and its refunds. */
export const DAY_SHARDS = 16;

/** `GSI3PK` of the payments of a day in Beijing, of a shard. */
export const paymentShardKey = (day: string, shard: number) => `PAID#${day}#${twoDigits(shard)}`;

/** `GSI3PK` of the refunds that WeChat accepted on a day in Beijing, of a shard. */
export const refundShardKey = (day: string, shard: number) => `REFUNDED#${day}#${twoDigits(shard)}`;
