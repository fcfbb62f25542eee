/** The function as Lambda calls it, over the table's own rows and a bus that keeps what it gets. */
import { describe, expect, test } from 'vitest';
import { openPublish } from '../../functions/publish.ts';
import type { PublishMachine } from '../../lib/publish/machine.ts';
import { recordedFunction } from '../support/api-event.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { recordingBus } from '../support/event-bus.ts';
import { notificationOf, openOrderRow, paidOrderRow, streamRecord } from '../support/fact-rows.ts';
import { IN_LAMBDA } from '../support/test-machine.ts';

const newTable = useEmbeddedTables();

const SETTINGS = { TABLE_NAME: 'orders-1', EVENT_BUS_NAME: 'bus' };
const context = { awsRequestId: 'batch-0001', getRemainingTimeInMillis: () => 60_000 };

async function opened(changes: Partial<PublishMachine> = {}) {
  const table = await newTable();
  const bus = recordingBus();
  const functionLog = recordedFunction();
  const happened: string[] = [];
  const handler = await openPublish({
    environment: { ...SETTINGS, TABLE_NAME: table.tableName },
    openLog: (name) => {
      happened.push(`log of ${name}`);
      return functionLog;
    },
    openTableClient: () => {
      happened.push('table');
      return table.client;
    },
    openEventsClient: () => {
      happened.push('bus');
      return bus;
    },
    ...changes,
  });
  return { handler, table, bus, functionLog, happened };
}

const batch = {
  Records: [streamRecord(paidOrderRow({ notification: notificationOf() }), openOrderRow())],
};

describe('publish', () => {
  test('tells a payment and archives its notification, and a repeat archives nothing more', async () => {
    const { handler, table, bus, functionLog } = await opened();

    expect(await handler(batch, context)).toEqual({ batchItemFailures: [] });
    expect(await handler(batch, context)).toEqual({ batchItemFailures: [] });
    expect(bus.eventIds()).toEqual(['order-0001.1', 'order-0001.1']);
    expect((await allRows(table)).map(({ PK, SK }) => `${PK?.S} ${SK?.S}`)).toEqual([
      'ORDER#order-0001 NOTIFICATION#2026-03-01T02:00:05.123Z#notice-1',
    ]);
    expect(functionLog.requestIds).toEqual(['batch-0001', 'batch-0001']);
    expect(functionLog.flushes()).toBe(2);
  });

  test('never logs who paid, or what WeChat said', async () => {
    const { handler, functionLog } = await opened();
    await handler(batch, context);

    expect(functionLog.text()).not.toMatch(/oUpF8|out_trade_no/);
  });

  test.each([{}, IN_LAMBDA])('opens its connections with its first batch: %o', async (more) => {
    const { handler, happened } = await opened({ environment: { ...SETTINGS, ...more } });
    expect(happened).toEqual(['log of publish']);

    await handler({ Records: [] }, context);
    await handler({ Records: [] }, context);
    expect(happened).toEqual(['log of publish', 'table', 'bus']);
  });

  test.each(['TABLE_NAME', 'EVENT_BUS_NAME'])(
    'without %s fails as a whole and says why',
    async (name) => {
      const { handler, functionLog } = await opened({ environment: { ...SETTINGS, [name]: '' } });

      await expect(handler(batch, context)).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
      expect(functionLog.log.lines).toMatchObject([
        {
          level: 'error',
          message: 'publish failed',
          fields: { reason: `the environment variable ${name} is not set` },
        },
      ]);
      expect(functionLog.flushes()).toBe(1);
    },
  );
});
