/** Moving orders from state to state, one conditional write each. */
import type { OrderId } from '../order/order-id.ts';
import type { PaymentAfterClose } from '../order/order.ts';
import {
  CLOCK_TOLERANCE_SECONDS,
  type Decision,
  decideTransition,
  type Evidence,
  type OrderFacts,
  type PaymentEvidence,
} from '../order/transition.ts';
import { beijingDay, isoTime } from '../time.ts';
import { number, text, time } from './attributes.ts';
import type { Table } from './client.ts';
import { appendFacts } from './facts.ts';
import { carry, type ReceivedNotification } from './notification-attribute.ts';
import { factsOfTransition } from './order-facts.ts';
import { factsFromItem } from './order-row.ts';
import { readOrderFacts } from './orders.ts';
import { retention } from './retention.ts';
import { openKeys, orderKey, paymentDayKeys } from './schema.ts';
import { tryUpdate, type Update } from './update.ts';

/** More than the longest path there is: NOTPAY seen as CLOSED, then as SUCCESS, then as REFUND. */
const MAX_WRITES = 5;

/**
 * Applies verified evidence to an order; what comes back has happened. The first write is made
 * without a read, on the assumption that holds nearly always: an unpaid order that the evidence
 * fits. If the row turns out to be different, the refusal brings it along and `decideTransition`
 * decides on the facts.
 *
 * @param how what becomes of a payment for a closed order, stored with it, so that a later setting
 * does not decide about an earlier payment; and the message that the evidence came in.
 */
export async function applyEvidence(
  table: Table,
  id: OrderId,
  evidence: Evidence,
  nowEpochSeconds: number,
  { paymentAfterClose = 'keep', notification }: Circumstances = {},
): Promise<Decision> {
  const writeId = table.randomBytes(16).toString('hex');
  let decision = decideTransition(
    assumedFacts(evidence, nowEpochSeconds),
    evidence,
    nowEpochSeconds,
  );
  if (decision.kind !== 'apply') {
    // No order takes such evidence; what it is to this one, if there is one, only its row can say.
    decision = decideTransition(await readOrderFacts(table, id), evidence, nowEpochSeconds);
  }
  for (let write = 0; decision.kind === 'apply'; write += 1) {
    if (write === MAX_WRITES) {
      throw new Error('an order changed under every attempt to update it');
    }
    const isAssumed = write === 0;
    const kept = retention(table, nowEpochSeconds);
    const by = { writeId, nowEpochSeconds, isAssumed, paymentAfterClose, kept };
    const carried = carry(notification && { ...notification, ...applied(decision) });
    const update = transitionUpdate(id, evidence, decision, { ...by, carried });
    const refused = await tryUpdate(table, orderKey(id), update);
    // A write whose answer was lost is repeated by the SDK and refused: the row bears its mark.
    if (refused === 'written' || refused.item?.['writeId']?.S === writeId) {
      return decision;
    }
    const facts = refused.item && factsFromItem(refused.item);
    decision = decideTransition(facts, evidence, nowEpochSeconds);
  }
  return decision;
}

/** Circumstances of evidence. */
export interface Circumstances {
  readonly paymentAfterClose?: PaymentAfterClose;
  readonly notification?: ReceivedNotification | undefined;
}

/** What has led to a change was received. */
const applied = ({ kind, from, to }: Extract<Decision, { kind: 'apply' }>) => ({
  decision: kind,
  from,
  to,
  answer: 200,
});

/** An open order that agrees with the evidence in everything. */
function assumedFacts(evidence: Evidence, nowEpochSeconds: number): OrderFacts {
  const payment = evidence.kind === 'paid' ? evidence.payment : undefined;
  return {
    tradeState: 'NOTPAY',
    appid: payment?.appid ?? '',
    mchid: payment?.mchid ?? '',
    subMchid: payment?.subMchid,
    spAppid: payment?.spAppid,
    openid: payment?.openid ?? '',
    totalFen: payment?.totalFen ?? 0,
    currency: (payment?.currency ?? 'CNY') as 'CNY',
    transactionId: undefined,
    createdAtEpochSeconds: Math.min(payment?.paidAtEpochSeconds || 0, nowEpochSeconds),
  };
}

interface WriteFacts {
  readonly writeId: string;
  readonly nowEpochSeconds: number;
  /** Whether the decision was made on assumed facts, before the row was read. */
  readonly isAssumed: boolean;
  readonly paymentAfterClose: PaymentAfterClose;
  readonly carried: ReturnType<typeof carry>;
  readonly kept: ReturnType<typeof retention>;
}

/**
 * The write of one transition.
 *
 * Conditions: the row has the state that the decision was made for (so it exists, and two writers
 * cannot both leave that state); for a payment, also every field that was compared is equal, and, as
 * long as the order was not read, it is not a day younger than its payment. So the write is right even
 * when nothing was read before it.
 */
function transitionUpdate(
  id: OrderId,
  evidence: Evidence,
  decision: Extract<Decision, { kind: 'apply' }>,
  { writeId, nowEpochSeconds, isAssumed, paymentAfterClose, carried, kept }: WriteFacts,
): Update {
  const payment =
    evidence.kind === 'paid'
      ? paymentClauses(id, evidence.payment, decision, isAssumed)
      : undefined;
  const due = isDue(decision, paymentAfterClose)
    ? openKeys(id, 'refund', isoTime(nowEpochSeconds))
    : undefined;
  const facts = appendFacts(factsOfTransition(decision, nowEpochSeconds, paymentAfterClose));
  const sets = [
    'tradeState = :to',
    'updatedAt = :now',
    'writeId = :writeId',
    ...(payment?.sets ?? []),
    // All of the payment can be refunded, from the write on that makes it one.
    ...(payment && decision.from !== 'SUCCESS' ? ['refundableFen = :totalFen'] : []),
    ...(decision.paidAfterClose
      ? ['paidAfterClose = :true', 'paymentAfterClose = :afterClose']
      : []),
    ...(due ? ['GSI1PK = :shard', 'GSI1SK = :now', 'checks = :none'] : []),
    ...(decision.to === 'CLOSED' ? ['closedAt = :now'] : []),
    ...facts.sets,
    ...carried.sets,
    ...kept.sets,
  ];
  const conditions = ['tradeState = :from', ...(payment?.conditions ?? [])];
  return {
    // Every target is a final state: the order leaves the index of open work.
    UpdateExpression: `SET ${sets.join(', ')}${due ? '' : ' REMOVE GSI1PK, GSI1SK'}`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeValues: {
      ':from': text(decision.from),
      ':to': text(decision.to),
      ':now': time(nowEpochSeconds),
      ':writeId': text(writeId),
      ...payment?.values,
      ...facts.values,
      ...carried.values,
      ...kept.values,
      ...(decision.paidAfterClose && {
        ':true': { BOOL: true },
        ':afterClose': text(paymentAfterClose),
      }),
      ...(due && { ':shard': text(due.GSI1PK), ':none': number(0) }),
    },
  };
}

/**
 * Whether the order stays due though it is paid: somebody refunded it whose refund has no row here,
 * or its payment is to be given back.
 */
const isDue = (
  { to, paidAfterClose }: Extract<Decision, { kind: 'apply' }>,
  paymentAfterClose: PaymentAfterClose,
) => to === 'REFUND' || (paidAfterClose && paymentAfterClose === 'refund');

function paymentClauses(
  id: OrderId,
  payment: PaymentEvidence,
  { from }: Extract<Decision, { kind: 'apply' }>,
  isAssumed: boolean,
) {
  const { paidAtEpochSeconds } = payment;
  // What was told of a payment stays: a later message about it only fills in what was never known.
  const isKnown = from === 'SUCCESS';
  const kept = (name: string, value: string) =>
    isKnown ? `${name} = if_not_exists(${name}, ${value})` : `${name} = ${value}`;
  const hasBank = payment.bankType !== undefined && !isKnown;
  const day = paymentDayKeys(id, beijingDay(paidAtEpochSeconds), isoTime(paidAtEpochSeconds));
  return {
    sets: [
      'transactionId = :transactionId',
      kept('paidAt', ':paidAt'),
      // Among the payments of its day, by the write that makes it one.
      kept('GSI3PK', ':day'),
      kept('GSI3SK', ':paidAt'),
      ...(hasBank ? ['bankType = :bankType'] : []),
    ],
    conditions: [
      'totalFen = :totalFen',
      'currency = :currency',
      'openid = :openid',
      'appid = :appid',
      'mchid = :mchid',
      equalOrAbsent('subMchid', payment.subMchid),
      equalOrAbsent('spAppid', payment.spAppid),
      '(attribute_not_exists(transactionId) OR transactionId = :transactionId)',
      ...(isAssumed ? ['createdAt <= :createdBy'] : []),
    ],
    values: {
      ':transactionId': text(payment.transactionId),
      ':paidAt': text(day.GSI3SK),
      ':day': text(day.GSI3PK),
      ...(hasBank && { ':bankType': text(payment.bankType) }),
      ':totalFen': number(payment.totalFen),
      ':currency': text(payment.currency),
      ...(isAssumed && { ':createdBy': time(paidAtEpochSeconds + CLOCK_TOLERANCE_SECONDS) }),
      ':openid': text(payment.openid),
      ':appid': text(payment.appid),
      ':mchid': text(payment.mchid),
      ...(payment.subMchid !== undefined && { ':subMchid': text(payment.subMchid) }),
      ...(payment.spAppid !== undefined && { ':spAppid': text(payment.spAppid) }),
    },
  };
}

/** What the payment does not name, the order must not have either. */
function equalOrAbsent(name: 'subMchid' | 'spAppid', value: string | undefined): string {
  return value === undefined ? `attribute_not_exists(${name})` : `${name} = :${name}`;
}
