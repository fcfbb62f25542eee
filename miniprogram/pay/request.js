/** @import { FailedResult, Language, PayWx } from './pay.js' */
/** @import { CreateFailedResult } from './failure.js' */

/** A little more than the API's own limit: an answer on its way is waited for. */
const TIMEOUT_MS = 16_000;

/**
 * @typedef {{ baseUrl: string, language: Language, wx: PayWx, failure: CreateFailedResult }} Connection
 */
/**
 * @template T
 * @typedef {Promise<(T & { status?: never }) | FailedResult>} Reply
 */

/**
 * One request. An answer must have the field `proof`: whatever else comes with a 200, such as
 * the page of a Wi-Fi portal, is none.
 *
 * @param {Connection} connection
 * @param {string} path
 * @param {string} proof
 * @param {any} [data]
 * @param {Record<string, string>} [header]
 * @returns {Reply<any>}
 */
const send = (connection, path, proof, data, header) =>
  new Promise((resolve) => {
    connection.wx.request({
      url: connection.baseUrl + path,
      method: data ? 'POST' : 'GET',
      timeout: TIMEOUT_MS,
      header: { 'accept-language': connection.language, ...header },
      data,
      success: ({ statusCode, data: body }) =>
        resolve(
          [200, 202].includes(statusCode) && /** @type {any} */ (body)?.[proof]
            ? body
            : noAnswer(connection, statusCode, body),
        ),
      fail: ({ errMsg }) => resolve(noAnswer(connection, 0, undefined, errMsg)),
    });
  });

/**
 * @param {Connection} connection
 * @param {number} httpStatus
 * @param {any} body
 * @param {string} [errMsg]
 */
function noAnswer({ failure }, httpStatus, body, errMsg) {
  const error = body?.error;
  // An error without a code is not the API's own: no connection, a gateway, a crash.
  return failure(error?.code?.toLowerCase().replace(/_/g, '-') ?? 'network', {
    ...error,
    errMsg,
    httpStatus,
    requestId: body?.requestId,
    retryable: httpStatus === 503 || (!error && (httpStatus < 400 || httpStatus >= 429)),
  });
}

module.exports = { send, noAnswer };
