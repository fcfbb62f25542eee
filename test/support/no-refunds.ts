/** For clients that never refund: opening a connection with the client certificate fails the test. */
export const noRefunds = (): never => {
  throw new Error('a connection with the client certificate was opened');
};
