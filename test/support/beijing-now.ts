/** The present moment as WeChat writes it in API v2: `yyyyMMddHHmmss`, eight hours ahead of UTC. */
export const beijingNow = () =>
  new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace(/\D/g, '');
