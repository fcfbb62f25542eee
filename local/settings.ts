/** What the environment says about a stack, checked before anything is started or forgotten. */
import { loadConfig } from '../lib/runtime/config.ts';
import type { Environment } from '../lib/runtime/environment.ts';
import { proposePort, readPort } from '../simulator/host/ports.ts';

const API_PORT = 3000;
const SIMULATOR_PORT = 3900;
/** What the stack itself gives the functions; the other variables are the developer's. */
const GIVEN_BY_THE_STACK = {
  STAGE: 'local',
  TABLE_NAME: 'local',
  MINI_PROGRAM_SECRET_ID: 'local',
  MERCHANT_SECRET_ID: 'local',
  EVENT_BUS_NAME: 'local',
  PUBLIC_BASE_URL: 'http://127.0.0.1',
  WECHAT_PAY_BASE_URLS: '',
  WEIXIN_BASE_URLS: '',
  WECHAT_PAY_CERTIFIED_BASE_URLS: '',
};

export interface Ports {
  readonly port: number;
  readonly simulatorPort: number;
}

/** Where the API listens unless told otherwise: `PORT`, else 3000. */
export const readApiPort = (environment: Environment): number =>
  readPort('PORT', API_PORT, environment);

/** Where a stack keeps everything unless told otherwise. */
export const readDataDir = ({ LOCAL_DATA_DIR }: Environment): string => LOCAL_DATA_DIR || '.local';

/**
 * Both ports of a stack; what is `given` counts more than the environment.
 *
 * @throws {Error} naming the variable and what to set instead.
 */
export function readPorts(given: Partial<Ports>, environment: Environment): Ports {
  const port = given.port ?? readApiPort(environment);
  const simulatorPort =
    given.simulatorPort ?? readPort('SIMULATOR_PORT', SIMULATOR_PORT, environment);
  if (port !== simulatorPort || port === 0) {
    return { port, simulatorPort };
  }
  throw new Error(
    `PORT and SIMULATOR_PORT are both ${port}: give each its own, such as SIMULATOR_PORT=${proposePort(port)}`,
  );
}

/**
 * Checks the developer's own settings of the functions, such as `WECHAT_PAY_API_VERSION`: they
 * would otherwise refuse every request with 500.
 *
 * @throws {Error} whose cause names the variable and what it may be.
 */
export function assertFunctionSettings(
  environment: Environment,
  apiVersion: 'v2' | 'v3' | undefined,
): void {
  const chosen = apiVersion === undefined ? {} : { WECHAT_PAY_API_VERSION: apiVersion };
  try {
    loadConfig({ ...environment, ...GIVEN_BY_THE_STACK, ...chosen });
  } catch (error) {
    throw new Error('a variable of the functions is wrong: mend it or unset it', { cause: error });
  }
}
