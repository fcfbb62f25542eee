/** Starts what stands in for AWS and for WeChat, with the merchant, the table and the products in it. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedCatalogue } from './data/catalogue.ts';
import type { DataDir } from './data/data-dir.ts';
import { createTable, type LocalDynamoDb, startDynamoDb } from './aws/dynamodb.ts';
import type { Addresses, Names } from './aws/environment.ts';
import { type LocalMerchant, loadMerchant, putSecrets, saveMerchant } from './data/merchant.ts';
import { type EventBridge, startEventBridge } from './aws/event-bridge/event-bridge.ts';
import type { StoredEvent } from './aws/event-bridge/event-store.ts';
import { startSecretsManager } from './aws/secrets-manager.ts';
import type { VerificationMode } from '../simulator/book/wechat-keys.ts';
import { type LocalSimulator, startSimulator } from './process/simulator-process.ts';

const SIMULATOR_ENTRY = fileURLToPath(new URL('../simulator/main.ts', import.meta.url));

export interface EmulatorOptions {
  readonly dataDir: DataDir;
  readonly names: Names;
  readonly apiUrl: string;
  readonly simulatorPort: number;
  readonly seed?: string | number | undefined;
  readonly verification?: VerificationMode | undefined;
  readonly simulatorEntry?: string | undefined;
  readonly devtoolsBuyer?: string | undefined;
  readonly onProgress: (part: string, where: string) => void;
  readonly onEvent?: ((event: StoredEvent) => void) | undefined;
  /** Takes the lines meant for a terminal. */
  readonly print: (line: string) => void;
}

export interface Emulators {
  readonly addresses: Addresses;
  readonly merchant: LocalMerchant;
  readonly dynamoDb: LocalDynamoDb;
  readonly eventBridge: EventBridge;
  readonly seed: string;
  readonly died: Promise<never>;
}

/** `undo` gets the way to end each part as soon as it runs, so that a failure leaves nothing. */
export async function startEmulators(
  options: EmulatorOptions,
  undo: (() => unknown)[],
): Promise<Emulators> {
  const { dataDir, names, onProgress } = options;
  const { files } = dataDir;

  const dynamoDb = await startDynamoDb({ dbPath: files.table });
  undo.push(() => dynamoDb.stop());
  await createTable(dynamoDb.endpoint, names.tableName);
  await seedCatalogue(dynamoDb.endpoint, names.tableName);
  onProgress('DynamoDB', dynamoDb.endpoint);

  const secretsManager = await startSecretsManager({ path: files.secrets });
  undo.push(() => secretsManager.stop());
  const { merchant, isNew } = await loadMerchant(files.merchant, files.wechatpayKeys);
  const simulatorUrl = options.simulatorPort === 0 ? '' : toUrl(options.simulatorPort);
  // Secrets first: were it killed in between, the next start would make a new merchant for both.
  await putSecrets(secretsManager.endpoint, names.secretIds, merchant, isNew);
  const { apiUrl } = options;
  saveMerchant(files.merchant, { ...merchant, apiUrl, ...locate({ url: simulatorUrl }) });
  onProgress('Secrets Manager', secretsManager.endpoint);

  const eventBridge = await openEventBridge(options);
  undo.push(() => eventBridge.stop());
  onProgress('EventBridge', eventBridge.endpoint);

  const simulator = await startSimulator({
    entry: options.simulatorEntry ?? SIMULATOR_ENTRY,
    port: options.simulatorPort,
    merchantFile: path.resolve(files.merchant),
    dbPath: files.simulator,
    apiUrl: options.apiUrl,
    logFile: files.simulatorLog,
    verification: options.verification,
    ...(options.seed === undefined ? {} : { seed: String(options.seed) }),
    ...(options.devtoolsBuyer === undefined ? {} : { devtoolsBuyer: options.devtoolsBuyer }),
  });
  undo.push(() => simulator.stop());
  const located = { ...merchant, apiUrl, ...locate(simulator) };
  saveMerchant(files.merchant, located);
  onProgress('WeChat (simulator)', simulator.url);

  const died = Promise.race([dynamoDb.died, simulator.died]);
  died.catch(() => {});
  return {
    addresses: {
      apiUrl,
      simulatorUrl: simulator.url,
      simulatorBackupUrl: simulator.backupUrl,
      simulatorTls: simulator.tls,
      dynamoDbEndpoint: dynamoDb.endpoint,
      secretsManagerEndpoint: secretsManager.endpoint,
      eventBridgeEndpoint: eventBridge.endpoint,
    },
    merchant: located,
    dynamoDb,
    eventBridge,
    seed: simulator.seed,
    died,
  };
}

function openEventBridge({ dataDir, names, onEvent, print }: EmulatorOptions) {
  return startEventBridge({
    path: dataDir.files.events,
    busName: names.busName,
    ...(onEvent && { onEvent }),
    onDropped: (busName) =>
      print(`WARN   events  an event to the bus ${busName}, which there is not, was dropped`),
  });
}

/** What `merchant.json` says of the simulator; empty texts while it is not known yet. */
const locate = ({ url, tls }: Pick<LocalSimulator, 'url'> & Partial<LocalSimulator>) => ({
  simulatorUrl: url,
  simulatorTlsUrl: tls?.url ?? '',
  simulatorTlsBackupUrl: tls?.backupUrl ?? '',
  simulatorCa: tls?.authority ?? '',
});

function toUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
