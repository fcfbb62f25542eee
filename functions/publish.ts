/** The table's stream: tells the merchant's systems what happened, and archives notifications. */
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { type PublishMachine, publishMachine } from '../lib/publish/machine.ts';
import { type PublishContext, publishRecords } from '../lib/publish/publish.ts';
import { once } from '../lib/runtime/init.ts';
import { describeError, type FunctionLog } from '../lib/runtime/log.ts';
import { loadPublishConfig } from '../lib/runtime/publish-config.ts';

export type PublishDependencies = Omit<PublishContext, 'log' | 'remainingMs'>;

type PublishHandler = (
  event: DynamoDBStreamEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
) => Promise<DynamoDBBatchResponse>;

/** Makes the handler of a batch; what it gives back, Lambda brings again. */
export function publishHandler(
  dependencies: () => PublishDependencies,
  functionLog: FunctionLog,
): PublishHandler {
  return async (event, context) => {
    const log = functionLog.forRequest(context.awsRequestId);
    try {
      const remainingMs = () => context.getRemainingTimeInMillis();
      return await publishRecords(event.Records, { ...dependencies(), log, remainingMs });
    } catch (error) {
      log.error('publish failed', describeError(error));
      throw error;
    } finally {
      functionLog.flush();
    }
  };
}

function open(machine: PublishMachine): PublishDependencies {
  const { tableName, ...config } = loadPublishConfig(machine.environment);
  const table = { client: machine.openTableClient(), tableName };
  return { ...config, table, events: machine.openEventsClient() };
}

/** The handler of one environment. Nobody waits for a stream's first record, so nothing is warmed up. */
export async function openPublish(machine: PublishMachine): Promise<PublishHandler> {
  return publishHandler(
    once(() => open(machine)),
    machine.openLog('publish'),
  );
}

export const handler = await openPublish(publishMachine);
