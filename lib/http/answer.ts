/** The HTTP status of an answer, where it is not 200. */

/** A symbol, so that it is in no JSON and no body can claim a status. */
const STATUS = Symbol('status');

/** Statuses that an operation may choose; every error has its own. */
export type SuccessStatus = 200 | 201 | 202;

/** The JSON body of an answer, with the status that it goes out with. */
export function withStatus(status: SuccessStatus, body: object): object {
  return { ...body, [STATUS]: status };
}

/** The status of an operation's answer: 200 unless it chose another. */
export function statusOf(body: object & { readonly [STATUS]?: SuccessStatus }): SuccessStatus {
  return body[STATUS] ?? 200;
}
