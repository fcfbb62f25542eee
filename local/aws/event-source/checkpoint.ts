/** How far each function has got in a stream, kept over restarts. */
import { readJsonFile, START_FRESH, writeJsonFile } from '../../json-file.ts';

/** Of a shard: the last record that is done with, or that it is read to its end. */
export interface ShardPosition {
  readonly sequenceNumber?: string;
  readonly ended?: true;
}

type Positions = Readonly<Record<string, Readonly<Record<string, ShardPosition>>>>;

export interface Checkpoints {
  /** Undefined: nothing of this shard was done yet. */
  read(functionName: string, shardId: string): ShardPosition | undefined;
  /** On disk when this returns. */
  save(functionName: string, shardId: string, position: ShardPosition): void;
  /** Forgets a position, which is none in this shard. On disk when this returns. */
  forget(functionName: string, shardId: string): void;
  /** Forgets shards that the stream no longer has. */
  keepOnly(shardIds: readonly string[]): void;
}

/**
 * Opens the file; what it says about another stream is forgotten, because the table is another one.
 *
 * @throws {Error} naming a file that holds something else.
 */
export function openCheckpoints(file: string, streamArn: string): Checkpoints {
  let kept = readPositions(file, streamArn);
  // What is read here is on disk: records up to it may be taken away.
  const write = (functions: Positions) => {
    writeJsonFile(file, { streamArn, functions });
    kept = functions;
  };
  return {
    read: (functionName, shardId) => kept[functionName]?.[shardId],
    save: (functionName, shardId, position) =>
      write({ ...kept, [functionName]: { ...kept[functionName], [shardId]: position } }),
    forget(functionName, shardId) {
      const { [shardId]: _forgotten, ...others } = kept[functionName] ?? {};
      write({ ...kept, [functionName]: others });
    },
    keepOnly(shardIds) {
      const isKept = ([shardId]: [string, ShardPosition]) => shardIds.includes(shardId);
      const all = Object.values(kept).flatMap((shards) => Object.entries(shards));
      if (!all.every(isKept)) {
        const entries = Object.entries(kept).map(
          ([name, shards]) =>
            [name, Object.fromEntries(Object.entries(shards).filter(isKept))] as const,
        );
        write(Object.fromEntries(entries));
      }
    },
  };
}

function readPositions(file: string, streamArn: string): Positions {
  const kept = (readJsonFile(file) ?? {}) as { streamArn?: unknown; functions?: unknown };
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  if (!isObject(kept) || !isObject(kept.functions ?? {})) {
    throw new Error(`${file} holds no positions in a stream: remove it, ${START_FRESH}`);
  }
  return kept.streamArn === streamArn ? (kept.functions as Positions) : {};
}
