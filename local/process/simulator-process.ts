/** Runs the simulator as the separate program that it is. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { VerificationMode } from '../../simulator/book/wechat-keys.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 3000;

export interface SimulatorOptions {
  readonly entry: string;
  readonly port: number;
  readonly merchantFile: string;
  readonly dbPath: string;
  /** For the simulator's page. */
  readonly apiUrl: string;
  readonly logFile?: string;
  readonly seed?: string;
  /** Who logs in with a code of WeChat's developer tools. */
  readonly devtoolsBuyer?: string;
  /** Which key signs what; without it as before, `public-key` at first. */
  readonly verification?: VerificationMode | undefined;
}

/** Where calls go that show the merchant's certificate, and who vouches for the server, in PEM. */
export interface SimulatorTls {
  readonly url: string;
  readonly backupUrl: string;
  readonly authority: string;
}

export interface LocalSimulator {
  readonly url: string;
  readonly backupUrl: string;
  readonly tls: SimulatorTls;
  readonly seed: string;
  /** Rejects when the simulator ends by itself; never settles while it runs or after `stop()`. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

interface Ready {
  event: 'ready';
  url: string;
  backupUrl: string;
  tlsUrl?: string;
  tlsBackupUrl?: string;
  tlsAuthority?: string;
  seed: unknown;
}

/** Starts it and waits for its `ready` line. It ends with this process, however that ends. */
export async function startSimulator(options: SimulatorOptions): Promise<LocalSimulator> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', options.entry], {
    // Stdin stays open: it closes when this process dies, and the simulator ends with it.
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
    env: {
      ...process.env,
      SIMULATOR_PORT: String(options.port),
      SIMULATOR_BACKUP_PORT: '0',
      SIMULATOR_TLS_PORT: '0',
      SIMULATOR_MERCHANT_FILE: options.merchantFile,
      SIMULATOR_DB: options.dbPath,
      SIMULATOR_API_URL: options.apiUrl,
      SIMULATOR_EXIT_WITH_PARENT: '1',
      SIMULATOR_DEVTOOLS_BUYER: options.devtoolsBuyer ?? '',
      ...(options.seed === undefined ? {} : { SEED: options.seed }),
      ...(options.verification === undefined
        ? {}
        : { SIMULATOR_VERIFICATION: options.verification }),
    },
  });
  child.stdin.on('error', () => {});
  const exited = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(`exit ${code ?? signal}`));
  });
  const output = collectOutput(child, options.logFile);
  let stopping = false;
  const stop = async () => {
    stopping = true;
    child.stdin.end();
    // On Windows a signal ends it in the middle of whatever it does; the closed stdin lets it finish.
    if (process.platform !== 'win32') {
      child.kill('SIGTERM');
    }
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exited;
    clearTimeout(kill);
  };
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  const ready = await Promise.race([output.ready, exited]);
  clearTimeout(timer);
  if (typeof ready === 'string') {
    throw new Error(`the simulator did not start (${ready}): ${output.tail()}`);
  }
  const died = new Promise<never>((_resolve, reject) => {
    void exited.then((how) => {
      if (!stopping) {
        const said = output.tail();
        const end = `the simulator ended by itself (${how})`;
        reject(new Error(said === '' ? end : `${end}: ${said}`));
      }
    });
  });
  died.catch(() => {});
  const { url, backupUrl, tlsUrl = '', tlsBackupUrl = '', tlsAuthority = '' } = ready;
  const tls = { url: tlsUrl, backupUrl: tlsBackupUrl, authority: tlsAuthority };
  return { url, backupUrl, tls, seed: String(ready.seed), died, stop };
}

function collectOutput(child: ChildProcessWithoutNullStreams, logFile: string | undefined) {
  const log = logFile === undefined ? undefined : createWriteStream(logFile);
  let tail = '';
  const ready = Promise.withResolvers<Ready>();
  const keep = (line: string) => {
    tail = `${tail}${line}\n`.slice(-2000);
    log?.write(`${line}\n`);
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseReady(line);
    if (message === undefined) {
      keep(line);
    } else {
      ready.resolve(message);
    }
  });
  createInterface({ input: child.stderr }).on('line', keep);
  child.on('close', () => log?.end());
  return { ready: ready.promise, tail: () => tail.trim() };
}

function parseReady(line: string): Ready | undefined {
  if (!line.startsWith('{')) {
    return undefined;
  }
  try {
    const message = JSON.parse(line) as Ready;
    return message.event === 'ready' ? message : undefined;
  } catch {
    return undefined;
  }
}
