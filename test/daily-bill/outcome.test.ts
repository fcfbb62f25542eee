import { expect, test } from 'vitest';
import { readOutcome } from '../../lib/daily-bill/answer.ts';
import type { Table } from '../../lib/table/client.ts';

test('a day without a bill is answered with the reason of the run that looked last', async () => {
  const row = { leaseUntilMs: { N: '0' }, reason: { S: 'WeChat has no bill of this day yet' } };
  const table = { client: { send: async () => ({ Item: row }) }, tableName: 'orders' };

  expect(await readOutcome(table as unknown as Table, '2026-03-01')).toMatchObject({
    date: '2026-03-01',
    state: 'NOT_READY',
    reason: 'WeChat has no bill of this day yet',
  });
});
