/** The alarms about money that a table's facts ring when they are published. */
import { expect } from 'vitest';
import { allEvents } from '../../lib/events/events.ts';
import { countFact } from '../../lib/publish/money.ts';
import type { Table } from '../../lib/table/client.ts';
import { allRows } from './embedded-tables.ts';
import { problemsOf } from './event-schemas.ts';
import { recordingLog } from './recording-log.ts';

/** How often each metric is counted, once every fact of every row is told. */
export async function moneyAlarms(table: Table) {
  const log = recordingLog();
  for (const row of await allRows(table)) {
    const { events, unreadable } = row['facts'] ? allEvents(row) : { events: [], unreadable: [] };
    expect(unreadable).toEqual([]);
    for (const event of events) {
      expect(problemsOf(event.detailType, JSON.parse(event.detail))).toEqual([]);
      countFact(log, event);
    }
  }
  return log.counts;
}
