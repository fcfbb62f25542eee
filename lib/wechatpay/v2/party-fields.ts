/** The fields that say whose an order is. */
import type { Parties } from '../../order/parties.ts';
import type { V2Client } from './protocol/call.ts';

type Fields = Readonly<Record<string, string>>;

/** Who the order is of; `appid` and `mch_id` are the provider's in service-provider mode. */
export function partyFields({ appid, mchid, subMchid, spAppid }: Parties): Fields {
  return {
    appid: spAppid ?? appid,
    mch_id: mchid,
    ...(spAppid !== undefined && { sub_appid: appid }),
    ...(subMchid !== undefined && { sub_mch_id: subMchid }),
  };
}

/** An order or a refund is asked for with the parties that it was created with. */
export function referenceFields(client: Pick<V2Client, 'signType'>, of: Parties): Fields {
  return { ...partyFields(of), sign_type: client.signType };
}
