/** Which part of the index a run works on. */
import { ConfigError } from '../errors.ts';
import { ALL_SHARDS } from '../table/due-work.ts';

/**
 * The shards that the event of a run names as `{"shards":[0,1,…]}`; all of them when it names none, as
 * that of an ordinary schedule.
 *
 * @throws {ConfigError} for anything else: work that no run takes up would be forgotten.
 */
export function shardsOf(event: unknown): readonly number[] {
  const named =
    typeof event === 'object' && event !== null && 'shards' in event ? event.shards : ALL_SHARDS;
  if (!Array.isArray(named) || named.length === 0 || !named.every(isShard)) {
    throw new ConfigError(`shards of reconcile must be a list of 0 to ${ALL_SHARDS.length - 1}`);
  }
  return [...new Set(named)];
}

const isShard = (shard: unknown) => ALL_SHARDS.includes(shard as number);
