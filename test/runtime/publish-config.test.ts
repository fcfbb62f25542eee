import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { loadPublishConfig } from '../../lib/runtime/publish-config.ts';

const deployed = { TABLE_NAME: 'orders', EVENT_BUS_NAME: 'bus' };

describe('the settings of publish', () => {
  test('name the table and the bus, and keep notifications for 90 days', () => {
    expect(loadPublishConfig(deployed)).toEqual({
      tableName: 'orders',
      eventBusName: 'bus',
      notificationRetentionDays: 90,
    });
  });

  test.each(['1', '3650'])('keep notifications for %s days', (days) => {
    const config = loadPublishConfig({ ...deployed, NOTIFICATION_RETENTION_DAYS: days });

    expect(config.notificationRetentionDays).toBe(Number(days));
  });

  test.each(['0', '3651', '1.5', 'ninety', '-1'])('refuse %s days', (days) => {
    expect(() => loadPublishConfig({ ...deployed, NOTIFICATION_RETENTION_DAYS: days })).toThrow(
      new ConfigError('NOTIFICATION_RETENTION_DAYS must be a whole number from 1 to 3650'),
    );
  });

  test.each(['TABLE_NAME', 'EVENT_BUS_NAME'])('are not usable without %s', (name) => {
    expect(() => loadPublishConfig({ ...deployed, [name]: undefined })).toThrow(
      new ConfigError(`the environment variable ${name} is not set`),
    );
  });
});
