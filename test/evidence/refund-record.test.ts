import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { recordRefundEvidence } from '../../lib/evidence/refund-record.ts';
import { reserveRefund } from '../../lib/table/refunds.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { recordingLog } from '../support/recording-log.ts';
import { ASKED_AT, refundEvidence, sampleRefund } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
const nowMs = () => ASKED_AT * 1000;

test('a refund that changes under every attempt is left to a later one', async () => {
  const table = await newTable();
  await givePaidOrder(table);
  const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
  await reserveRefund(table, sampleRefund(), turns, undefined);
  const changing = watchTable(table, async ({ name, send }) => {
    if (name === 'TransactWriteItems') {
      throw new TransactionCanceledException({
        message: 'changed',
        $metadata: {},
        CancellationReasons: [{ Code: 'ConditionalCheckFailed' }, { Code: 'None' }],
      });
    }
    return send();
  });

  await expect(
    recordRefundEvidence(
      { table: changing, log: recordingLog(), nowMs },
      sampleRefund(),
      refundEvidence(),
    ),
  ).rejects.toThrow('a refund changed under every attempt to update it');
});

test('a refund whose row is gone is an error, and no row is made of it', async () => {
  const table = await newTable();

  await expect(
    recordRefundEvidence({ table, log: recordingLog(), nowMs }, sampleRefund(), refundEvidence()),
  ).rejects.toThrow('the row of refund refund-0001 is gone');
});
