/** Lets a stream drop what every function on it is done with. */
import type { Checkpoints } from './checkpoint.ts';
import type { Shard, StreamSource } from './stream-source.ts';

/** The embedded engine drops 500 at a time: as many as a hundred payments write, which is a second's. */
const PAUSE_MS = 1000;

export interface TrimmingPorts {
  readonly source: Pick<StreamSource, 'trim'>;
  readonly checkpoints: Pick<Checkpoints, 'read'>;
  readonly mappings: readonly { readonly functionName: string }[];
  readonly listShards: () => readonly Shard[];
  readonly onFailure: (message: string) => void;
}

/** Trims again and again what every function is done with on disk. Returns the way to end. */
export function startTrimming(ports: TrimmingPorts): () => void {
  const timer = setInterval(() => {
    try {
      trimShards(ports);
    } catch (error) {
      // It is only room that is lost.
      clearInterval(timer);
      const reason = error instanceof Error ? error.message : String(error);
      ports.onFailure(`delivered records stay in the table's file until the next start: ${reason}`);
    }
  }, PAUSE_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function trimShards({ source, checkpoints, mappings, listShards }: TrimmingPorts): void {
  for (const { shardId } of listShards()) {
    const positions = mappings.map(
      ({ functionName }) => checkpoints.read(functionName, shardId)?.sequenceNumber,
    );
    const upTo = findEarliest(positions);
    if (upTo !== undefined) {
      source.trim?.(shardId, upTo);
    }
  }
}

/** Undefined while one of the functions is done with no record of the shard. */
function findEarliest(positions: readonly (string | undefined)[]): string | undefined {
  return positions.reduce((earliest, position) =>
    earliest === undefined || position === undefined || BigInt(earliest) < BigInt(position)
      ? position && earliest
      : position,
  );
}
