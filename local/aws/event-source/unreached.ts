/** Positions of a stream that has gone back, because its table's file was replaced by an earlier copy. */
import type { Checkpoints } from './checkpoint.ts';
import type { StreamSource } from './stream-source.ts';

export interface UnreachedPorts {
  readonly source: Pick<StreamSource, 'listShards' | 'hasReached'>;
  readonly mappings: readonly { readonly functionName: string }[];
  readonly onFailure: (message: string) => void;
}

/**
 * Forgets positions that the stream has not reached, so that its reading begins at the oldest record:
 * what is told twice has the same id. Kept, they would pass over every new record up to them. On disk
 * before anything is read, for the stream may grow beyond them until the next start.
 */
export async function forgetUnreached(
  { source, mappings, onFailure }: UnreachedPorts,
  checkpoints: Checkpoints,
): Promise<void> {
  for (const { shardId } of await source.listShards()) {
    for (const { functionName } of mappings) {
      const position = checkpoints.read(functionName, shardId)?.sequenceNumber;
      if (position !== undefined && source.hasReached?.(shardId, position) === false) {
        checkpoints.forget(functionName, shardId);
        onFailure(
          `the table is an earlier copy than the position of ${functionName} (${position}): all that its stream keeps is delivered again`,
        );
      }
    }
  }
}
