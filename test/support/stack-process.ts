/** `npm start` as a process of its own, to be stopped or killed like one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

export interface StackProcess {
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly child: ChildProcess;
  /** Every line that it printed so far. */
  readonly output: readonly string[];
  /** Ends it with a signal and waits until it is gone. */
  end(signal: 'SIGKILL' | 'SIGINT'): Promise<number | null>;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('no port');
  }
  return address.port;
}

/** Resolves at the line that begins `ready`. */
export async function startStackProcess(
  dataDir: string,
  ports: { api: number; simulator: number },
  apiVersion: 'v2' | 'v3' = 'v2',
): Promise<StackProcess> {
  const child = spawn(process.execPath, ['local/start.ts', '--api', apiVersion], {
    env: {
      ...process.env,
      PORT: String(ports.api),
      SIMULATOR_PORT: String(ports.simulator),
      LOCAL_DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      if (line.startsWith('ready')) {
        ready.resolve();
      }
    });
  }
  await Promise.race([
    ready.promise,
    exited.then(() => {
      throw new Error(`the stack ended before it was ready:\n${output.join('\n')}`);
    }),
  ]);
  return {
    child,
    output,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    end: async (signal) => {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
