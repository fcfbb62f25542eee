/** Takes what the functions print away from the terminal, as Lambda takes it to CloudWatch. */
import { AsyncLocalStorage } from 'node:async_hooks';

export type OutputSink = (functionName: string, line: string) => void;

const scope = new AsyncLocalStorage<{ functionName: string; sink: OutputSink }>();

/** Runs `work`; lines printed in its course, also later ones, go to `sink`. */
export function withOutputTo<T>(functionName: string, sink: OutputSink, work: () => T): T {
  return scope.run({ functionName, sink }, work);
}

/**
 * Looks at every write to stdout and stderr from now on, because Powertools prints past the global
 * `console`. Returns the way back.
 */
export function captureOutput(): () => void {
  const restores = [process.stdout, process.stderr].map(captureStream);
  return () => {
    for (const restore of restores) {
      restore();
    }
  };
}

function captureStream(stream: NodeJS.WriteStream): () => void {
  const original = Reflect.get(stream, 'write') as (...args: unknown[]) => boolean;
  const captured = (...args: unknown[]): boolean => {
    const target = scope.getStore();
    if (target === undefined) {
      return original.apply(stream, args);
    }
    for (const line of readChunk(args[0]).split('\n')) {
      // Out of the scope: what the sink itself prints is for the terminal.
      if (line !== '') {
        scope.exit(() => target.sink(target.functionName, line));
      }
    }
    const callback = args.findLast((arg) => typeof arg === 'function');
    if (callback !== undefined) {
      process.nextTick(callback);
    }
    return true;
  };
  stream.write = captured;
  return () => {
    stream.write = original;
  };
}

function readChunk(chunk: unknown): string {
  return typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('utf8');
}
