/** The simulator as a program: settings from the environment, one JSON line when it listens. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VERIFICATION_MODES, type VerificationMode } from './book/wechat-keys.ts';
import { readPort } from './host/ports.ts';
import { startSimulator } from './start.ts';

/** WeChat's private keys: named, or beside the merchant file, or none (then only API v2 is served). */
function findWechatpayKeysFile(merchantFile: string): string | undefined {
  const named = process.env['SIMULATOR_WECHATPAY_KEYS_FILE'];
  const beside = join(dirname(merchantFile), 'wechatpay-keys.json');
  return named || (existsSync(beside) ? beside : undefined);
}

/** With what caused it, unless that is the operating system's own text for the same. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const { cause } = error;
  const adds = cause !== undefined && (cause as NodeJS.ErrnoException).syscall === undefined;
  return adds ? `${error.message} (${describe(cause)})` : error.message;
}

function readVerification(): VerificationMode | undefined {
  const text = process.env['SIMULATOR_VERIFICATION'] || undefined;
  const mode = VERIFICATION_MODES.find((one) => one === text);
  if (text !== undefined && mode === undefined) {
    throw new Error(`SIMULATOR_VERIFICATION must be one of ${VERIFICATION_MODES.join(', ')}`);
  }
  return mode;
}

async function main(): Promise<void> {
  const { SIMULATOR_MERCHANT_FILE: merchantFile, SIMULATOR_DB: dbPath, SEED: seed } = process.env;
  const { SIMULATOR_API_URL: apiUrl, SIMULATOR_DEVTOOLS_BUYER: devtoolsBuyer } = process.env;
  if (!merchantFile) {
    throw new Error('SIMULATOR_MERCHANT_FILE must be the path of a merchant.json');
  }
  const verification = readVerification();
  const wechatpayKeysFile = findWechatpayKeysFile(merchantFile);
  const simulator = await startSimulator({
    merchantFile,
    ...(wechatpayKeysFile ? { wechatpayKeysFile } : {}),
    port: readPort('SIMULATOR_PORT', 3900, process.env),
    backupPort: readPort('SIMULATOR_BACKUP_PORT', 0, process.env),
    tlsPort: readPort('SIMULATOR_TLS_PORT', 0, process.env),
    ...(dbPath ? { dbPath } : {}),
    ...(seed ? { seed } : {}),
    ...(verification ? { verification } : {}),
    ...(process.env['SIMULATOR_PRICE_LIST'] === 'off' ? { priceList: false } : {}),
    ...(apiUrl ? { apiUrl } : {}),
    ...(devtoolsBuyer ? { devtoolsBuyer } : {}),
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
  const { url, backupUrl, tls } = simulator;
  process.stdout.write(
    `${JSON.stringify({
      event: 'ready',
      url,
      backupUrl,
      tlsUrl: tls?.url,
      tlsBackupUrl: tls?.backupUrl,
      tlsAuthority: tls?.authority,
      seed: simulator.seed,
    })}\n`,
  );
}

main().catch((error: unknown) => {
  console.error(`simulator: ${describe(error)}`);
  process.exitCode = 1;
});
