/** Schedule, every minute: finds out about unpaid orders, repairs lost notifications, closes. */
import type { Context } from 'aws-lambda';
import { openCertificateWatch } from '../lib/secrets/certificate-watch.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { countFailure } from '../lib/runtime/count-failure.ts';
import { describeError, type FunctionLog } from '../lib/runtime/log.ts';
import { type Machine, machine, openResources } from '../lib/deployment.ts';
import type { MerchantSecret } from '../lib/secrets/merchant.ts';
import type { VersionedSecret } from '../lib/secrets/versioned-secret.ts';
import type { CheckContext } from '../lib/reconcile/context.ts';
import { checkOrder } from '../lib/reconcile/order.ts';
import { checkRefund } from '../lib/reconcile/refund.ts';
import { startPatience } from '../lib/reconcile/patience.ts';
import { reportRun } from '../lib/reconcile/report.ts';
import { type ReconcileSummary, runReconcile } from '../lib/reconcile/run.ts';
import { shardsOf } from '../lib/reconcile/shards.ts';
import { openConnection } from '../lib/table/client.ts';

export type ReconcileDependencies = Omit<CheckContext, 'log' | 'remainingMs' | 'patience'> & {
  readonly merchant: VersionedSecret<MerchantSecret>;
};

type ReconcileHandler = (
  event: unknown,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
) => Promise<ReconcileSummary>;

/** Makes the handler of a run; its counts are logged in one line and returned. */
export function reconcileHandler(
  dependencies: () => ReconcileDependencies,
  functionLog: FunctionLog,
): ReconcileHandler {
  const watchCertificate = openCertificateWatch();
  return async (event, context) => {
    const log = functionLog.forRequest(context.awsRequestId);
    try {
      const { merchant, ...rest } = dependencies();
      watchCertificate(await merchant.current(), log, rest.nowMs());
      const remainingMs = () => context.getRemainingTimeInMillis();
      const check = { ...rest, log, remainingMs, patience: startPatience() };
      const onProgress = () => functionLog.flush();
      const summary = await runReconcile(
        { ...check, shards: shardsOf(event), onProgress },
        {
          order: (id, row) => checkOrder(check, id, row),
          refund: (id) => checkRefund(check, id),
        },
      );
      reportRun(log, summary);
      return summary;
    } catch (error) {
      log.error('reconcile failed', describeError(error));
      countFailure(log, error);
      throw error;
    } finally {
      functionLog.flush();
    }
  };
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openReconcile(machine: Machine): Promise<ReconcileHandler> {
  const resources = once(() => openResources(machine));
  await warmUp(machine.environment, () => [
    resources().merchant.current(),
    openConnection(resources().table, 'read'),
  ]);
  return reconcileHandler(resources, machine.openLog('reconcile'));
}

export const handler = await openReconcile(machine);
