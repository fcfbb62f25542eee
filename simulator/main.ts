/** The simulator as a program: settings from the environment, one JSON line when it listens. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startSimulator } from './start.ts';

function readPort(name: string, fallback: number): number {
  const text = process.env[name];
  const port = text === undefined || text === '' ? fallback : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${name} must be a port number, or 0 for a free one`);
  }
  return port;
}

/** WeChat's private keys: named, or beside the merchant file, or none (then only API v2 is served). */
function findWechatpayKeysFile(merchantFile: string): string | undefined {
  const named = process.env['SIMULATOR_WECHATPAY_KEYS_FILE'];
  const beside = join(dirname(merchantFile), 'wechatpay-keys.json');
  return named || (existsSync(beside) ? beside : undefined);
}

async function main(): Promise<void> {
  const { SIMULATOR_MERCHANT_FILE: merchantFile, SIMULATOR_DB: dbPath, SEED: seed } = process.env;
  const apiUrl = process.env['SIMULATOR_API_URL'];
  if (!merchantFile) {
    throw new Error('SIMULATOR_MERCHANT_FILE must be the path of a merchant.json');
  }
  const wechatpayKeysFile = findWechatpayKeysFile(merchantFile);
  const simulator = await startSimulator({
    merchantFile,
    ...(wechatpayKeysFile ? { wechatpayKeysFile } : {}),
    port: readPort('SIMULATOR_PORT', 3900),
    backupPort: readPort('SIMULATOR_BACKUP_PORT', 0),
    ...(dbPath ? { dbPath } : {}),
    ...(seed ? { seed } : {}),
    ...(apiUrl ? { apiUrl } : {}),
  });
  let ending = false;
  const end = () => {
    if (!ending) {
      ending = true;
      void simulator.stop().then(() => process.exit(0));
    }
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  if (process.env['SIMULATOR_EXIT_WITH_PARENT'] === '1') {
    process.stdin.on('end', end).on('error', end).resume();
  }
  const { url, backupUrl } = simulator;
  process.stdout.write(
    `${JSON.stringify({ event: 'ready', url, backupUrl, seed: simulator.seed })}\n`,
  );
}

main().catch((error: unknown) => {
  console.error(`simulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
