/** Runs of the two functions that nobody calls over HTTP, each of their calls to AWS heard. */
import { gzipSync } from 'node:zlib';
import { billHandler, openBill } from '../../functions/bill.ts';
import { openPublish } from '../../functions/publish.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { refundToItem } from '../../lib/table/refund-row.ts';
import { recordedFunction } from '../support/api-event.ts';
import {
  billDesk,
  csvOf,
  DAY,
  MIDNIGHT,
  MORNING,
  NOON,
  orderAt,
  paymentLine,
  paymentOf,
  refundLine,
  refundOf,
  transactionOf,
} from '../support/bill-desk.ts';
import { saved } from '../support/bill-files.ts';
import { allRows, putRow } from '../support/embedded-tables.ts';
import { recordingBus } from '../support/event-bus.ts';
import { streamRecord } from '../support/fact-rows.ts';
import { type Hear, heardClient } from '../support/heard-client.ts';
import { sampleRefund } from '../support/sample-refunds.ts';
import { SETTINGS, testMachine } from '../support/test-machine.ts';

const context = { awsRequestId: 'run', getRemainingTimeInMillis: () => 900_000 };

/** Everything that the stream would bring of a table, in one batch. */
export async function publishRows(table: Table, hear: Hear): Promise<void> {
  const handler = await openPublish({
    environment: { TABLE_NAME: table.tableName, EVENT_BUS_NAME: 'bus' },
    openLog: () => recordedFunction(),
    openTableClient: () => heardClient(table.client, hear),
    openEventsClient: () => heardClient(recordingBus(), hear),
  });
  const rows = (await allRows(table)).filter(({ factCount }) => factCount !== undefined);
  await handler({ Records: rows.map((row) => streamRecord(row)) }, context);
}

const pendingRefund = (outTradeNo: string, outRefundNo: string) =>
  refundToItem(
    sampleRefund({
      outTradeNo,
      outRefundNo,
      transactionId: transactionOf(outTradeNo),
      createdAtEpochSeconds: NOON,
      status: 'PENDING',
      refundId: undefined,
      acceptedAtEpochSeconds: undefined,
    }),
  );

/** A day on which everything is wrong that a bill can repair, and its correction. */
export async function checkBills(table: Table, hear: Hear): Promise<void> {
  const desk = billDesk({ ...table, client: heardClient(table.client, hear) });
  const invoke = (event: object) =>
    billHandler(() => desk.context(), recordedFunction())(event, context);
  const days = billDesk(table);
  await createOrder(table, orderAt('order-0001', NOON));
  desk.orders.set('order-0001', paymentOf('order-0001'));
  await days.pay('order-0002');
  desk.refunds.set('console-1', refundOf('order-0002', 'console-1'));
  await days.pay('order-0003');
  await putRow(table, pendingRefund('order-0003', 'refund-0003'));
  desk.refunds.set('refund-0003', refundOf('order-0003', 'refund-0003'));
  await days.pay('order-0004', MIDNIGHT - 1);
  const lines = [
    paymentLine('order-0001'),
    paymentLine('order-0002'),
    refundLine('order-0002', 'console-1'),
    paymentLine('order-0003'),
    refundLine('order-0003', 'refund-0003'),
    paymentLine('order-0009'),
  ];
  desk.offer(lines);
  await invoke({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
  const number = transactionOf('order-0009');
  await invoke({ date: DAY, explain: { kind: 'MISSING_HERE', number, note: 'another till' } });
  desk.offer([...lines, paymentLine('order-0004')]);
  await invoke({ date: DAY });
  await askForBill(table, hear);
}

/** As the function is opened, with its secrets. */
async function askForBill(table: Table, hear: Hear): Promise<void> {
  const machine = testMachine({
    environment: { ...SETTINGS, TABLE_NAME: table.tableName },
    nowMs: () => MORNING * 1000,
    startTimer: () => () => undefined,
    openTableClient: () => heardClient(table.client, hear),
    openTemporaryFiles: async () => billDesk(table).files,
    openHost: () => (request) => saved(request, gzipSync(csvOf([paymentLine('order-0001')]))),
  });
  const handler = await openBill({
    ...machine,
    openSecretsClient: () => heardClient(machine.openSecretsClient(), hear),
  });
  await handler({ date: DAY }, context);
}
