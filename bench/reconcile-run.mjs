/** Runs of the bundled `reconcile` in one process, as Lambda makes them: a message begins one, another ends it. */
const [bundle] = process.argv.slice(2);
const TIMEOUT_MS = 55_000;

const { handler } = await import(bundle);
process.on('message', async () => {
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
});
const { user, system } = process.cpuUsage();
process.send({ initCpuMs: (user + system) / 1_000 });
