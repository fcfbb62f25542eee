/** Settings of the function that publishes events: it knows no merchant and no key. */
import { type Environment, integer, required } from './environment.ts';

export interface PublishConfig {
  readonly tableName: string;
  /** Name or ARN of the bus that gets the events. */
  readonly eventBusName: string;
  /** How long notifications stay in the archive. */
  readonly notificationRetentionDays: number;
}

/** @throws {ConfigError} naming the variable, never its value. */
export function loadPublishConfig(environment: Environment): PublishConfig {
  return {
    tableName: required(environment, 'TABLE_NAME'),
    eventBusName: required(environment, 'EVENT_BUS_NAME'),
    notificationRetentionDays: integer(environment, 'NOTIFICATION_RETENTION_DAYS', 90, 1, 3_650),
  };
}
