/** A machine without a clock, chance or network of its own, to open the real handlers on. */
import type { Machine } from '../../lib/deployment.ts';
import type { HostRequest } from '../../lib/transport/host.ts';
import { type RecordedFunction, recordedFunction } from './api-event.ts';
import { APPID, CREATED_AT, MCHID } from './sample-orders.ts';
import { storedSecrets } from './stored-secret.ts';
import { API_V2_KEY } from './v2-message.ts';

export const SETTINGS = {
  STAGE: 'test',
  TABLE_NAME: 'orders',
  MINI_PROGRAM_SECRET_ID: 'mini-program',
  MERCHANT_SECRET_ID: 'merchant',
  PUBLIC_BASE_URL: 'https://pay.example.com',
};

/** What Lambda says of itself while it starts a function. */
export const IN_LAMBDA = { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' };

const SECRETS = {
  'mini-program': {
    AWSCURRENT: { appid: APPID, appSecret: '0'.repeat(32), sessionKey: 's'.repeat(32) },
  },
  merchant: { AWSCURRENT: { mchid: MCHID, apiV2Key: API_V2_KEY } },
};

export interface TestMachine extends Machine {
  /** Everything that went out, in order: secrets by id, the table's operations, paths at hosts. */
  readonly happened: string[];
  /** The logs that were opened, by function. */
  readonly logs: Map<string, RecordedFunction>;
}

interface Changes extends Partial<Machine> {
  /** What every host of WeChat answers with status 200. */
  readonly answer?: (request: HostRequest) => string;
}

/** @param changes `startTimer` makes pauses none and limits endless, and the table is empty, unless they say otherwise. */
export function testMachine({ answer = () => '', ...changes }: Changes = {}): TestMachine {
  const happened: string[] = [];
  const logs = new Map<string, RecordedFunction>();
  return {
    environment: SETTINGS,
    nowMs: () => CREATED_AT * 1000,
    monotonicMs: () => 0,
    randomBytes: (size) => Buffer.alloc(size, 7),
    startTimer: (delayMs, run) => {
      if (delayMs < 1_000) {
        run();
      }
      return () => undefined;
    },
    openHost: () => async (request) => {
      happened.push(request.path);
      return { statusCode: 200, headers: {}, body: Buffer.from(answer(request)) };
    },
    openTableClient: () => ({
      send: async (command: object) => {
        happened.push(command.constructor.name);
        return {};
      },
    }),
    openTemporaryFiles: async () => {
      throw new Error('this machine has no disk');
    },
    openSecretsClient: () => storedSecrets(SECRETS, (id) => happened.push(id)),
    openLog: (functionName) => {
      const log = recordedFunction();
      logs.set(functionName, log);
      return log;
    },
    ...changes,
    happened,
    logs,
  };
}
