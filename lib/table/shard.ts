/** Spreads rows over the partitions of an index, so that no one of them takes every write. */
import type { WorkClass } from '../order/work-class.ts';
import type { OrderId } from '../order/order-id.ts';

/** A shard as keys name it. */
const twoDigits = (value: number) => value.toString().padStart(2, '0');

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

/** How many `GSI1PK` values open orders are spread over, so that no one partition takes every write. */
export const OPEN_ORDER_SHARDS = 16;

/** What `GSI1PK` begins with. `later` is what all open work had before there were classes. */
const OPEN_PREFIX = {
  asked: 'OPEN#ASKED#',
  first: 'OPEN#FIRST#',
  refund: 'OPEN#REFUND#',
  later: 'OPEN#',
} as const satisfies Record<WorkClass, string>;

/** `GSI1PK` of the open work of a class and a shard. */
export const openShardKey = (workClass: WorkClass, shard: number) =>
  `${OPEN_PREFIX[workClass]}${twoDigits(shard)}`;

/** Whether a place in the index is that of an order that somebody asked about. */
export const isAskedPlace = (GSI1PK: string) => GSI1PK.startsWith(OPEN_PREFIX.asked);
