/** What a command works on: the stack of this machine, or a deployed stage. */
import type { Environment } from '../../lib/runtime/environment.ts';
import type { TableConnection } from '../../lib/table/client.ts';
import type { FailedBatches } from './failed-batches.ts';

export interface Target {
  /** For people. */
  readonly name: string;
  /** Where events can be listed; nothing on a stage, whose bus keeps none. */
  readonly apiUrl?: string | undefined;
  /** The variables that its functions run with. */
  readonly environment: Environment;
  readonly table: TableConnection;
  readonly failedBatches: FailedBatches;
  /**
   * Runs one of its functions and waits for the answer.
   *
   * @throws {Error} with the function's own words when it failed.
   */
  readonly invoke: (functionName: string, event: object) => Promise<unknown>;
  /** Its time, milliseconds since 1970: a local stack's clock can be moved. */
  readonly nowMs: () => number;
  /** Closes connections and gives this process its own environment back. */
  readonly close: () => void;
}

/** A stage is somebody's shop; what runs on this machine is nobody's. */
export const isStage = ({ apiUrl }: Target): boolean => apiUrl === undefined;
