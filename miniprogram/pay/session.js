const { noAnswer, send } = require('./request.js');
const { stored } = require('./storage.js');
/** @import { Connection, Reply } from './request.js' */

/**
 * The buyer's session at the API.
 *
 * @param {Connection & { now: () => number }} connection
 */
function createSession(connection) {
  const { baseUrl, wx, now } = connection;
  // Named after the API, so that one server's token is never sent to another.
  const session = stored(wx, `pay.token ${baseUrl}`, { token: '', expiresAt: 0 });
  /** @type {Reply<{ token: string }> | undefined} */
  let renewal;

  async function renew() {
    const reply = await logIn(connection);
    if (!reply.status) {
      session.set({ token: reply.token, expiresAt: now() + reply.expiresIn * 1000 });
    }
    return reply;
  }

  return {
    /**
     * The session in storage or, for all who ask at once, one `wx.login`.
     *
     * @returns {Reply<{ token: string }>}
     */
    open: async () => {
      if (now() < session.get().expiresAt) {
        return session.get();
      }
      renewal ??= renew().finally(() => {
        renewal = undefined;
      });
      return renewal;
    },

    /** @param {string} token that the API refused */
    expire(token) {
      // Unless another request has renewed it in the meantime.
      if (session.get().token === token) {
        session.set({ token, expiresAt: 0 });
      }
    },
  };
}

/**
 * @param {Connection} connection
 * @returns {Reply<{ token: string, expiresIn: number }>}
 */
async function logIn(connection) {
  /** @type {{ code?: string, errMsg: string }} */
  const { code, errMsg } = await new Promise((resolve) => {
    connection.wx.login({ success: resolve, fail: resolve });
  });
  return code
    ? send(connection, '/login', 'token', { code })
    : noAnswer(connection, 0, undefined, errMsg);
}

module.exports = { createSession };
