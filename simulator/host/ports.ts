/** Ports of the programs on this machine: read from a variable, and refused when nobody could call them. */

/**
 * What `fetch` and every browser refuse to call, whoever listens there.
 *
 * Source: fetch.spec.whatwg.org/#port-blocking ("bad port").
 */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10_080,
]);
const LAST_PORT = 65_535;

/** Whether `fetch` and browsers refuse to call this port. */
export const isBlockedPort = (port: number): boolean => BLOCKED_PORTS.has(port);

/** A port to propose in place of this one: the next that everybody can call. */
export function proposePort(port: number): number {
  const next = port >= LAST_PORT ? 3000 : port + 1;
  return isBlockedPort(next) ? proposePort(next) : next;
}

/**
 * The port in `environment[variable]`, or `fallback` when it is absent or empty; 0 takes a free one.
 *
 * @throws {Error} naming the variable, what is wrong with it and what to set instead.
 */
export function readPort(
  variable: string,
  fallback: number,
  environment: Readonly<Record<string, string | undefined>>,
): number {
  const text = environment[variable]?.trim() ?? '';
  if (text === '') {
    return fallback;
  }
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > LAST_PORT) {
    throw new Error(
      `${variable}=${text} is not a port: give a whole number from 0 (a free one) to ${LAST_PORT}, such as ${variable}=${fallback || 3000}`,
    );
  }
  if (isBlockedPort(port)) {
    throw new Error(
      `${variable}=${port} is a port that fetch and browsers refuse to call: choose another, such as ${variable}=${proposePort(port)}`,
    );
  }
  return port;
}
