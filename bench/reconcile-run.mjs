/** Runs of the bundled `reconcile` in one process, as Lambda makes them: each message begins one and is answered. */
import { once } from 'node:events';

const [bundle] = process.argv.slice(2);
const TIMEOUT_MS = 55_000;

const { handler } = await import(bundle);
const init = process.cpuUsage();
process.send({ initCpuMs: (init.user + init.system) / 1_000 });
for (;;) {
  await once(process, 'message');
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const summary = await handler(
    {},
    {
      awsRequestId: 'bench',
      getRemainingTimeInMillis: () => TIMEOUT_MS - (performance.now() - startedAt),
    },
  );
  const { user, system } = process.cpuUsage(before);
  process.send({ summary, cpuMs: (user + system) / 1_000 });
}
