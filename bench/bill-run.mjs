/** One run of the bundled `bill`, as Lambda makes it, under a memory meter. No TypeScript: reading that costs memory. */
const [bundle, date] = process.argv.slice(2);
const SAMPLE_MS = 50;
const TIMEOUT_MS = 900_000;

const { handler } = await import(bundle);
const startedAt = performance.now();
let peakBytes = 0;
const timer = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, SAMPLE_MS);
const answer = await handler(
  { date },
  {
    awsRequestId: 'bench',
    getRemainingTimeInMillis: () => TIMEOUT_MS - (performance.now() - startedAt),
  },
);
clearInterval(timer);
const { user, system } = process.cpuUsage();
process.send({
  answer,
  wallMs: performance.now() - startedAt,
  cpuMs: (user + system) / 1_000,
  peakBytes: Math.max(peakBytes, process.resourceUsage().maxRSS * 1_024),
});
