/** `npm run bench -- <name>`: compares within one run, so that only the ratios count. */
const BENCHES = {
  bill: () => import('./bill.ts'),
  reconcile: () => import('./reconcile.ts'),
  signature: () => import('./signature.ts'),
  stream: () => import('./stream.ts'),
};

const name = process.argv[2] ?? 'signature';
if (name in BENCHES) {
  await BENCHES[name as keyof typeof BENCHES]();
} else {
  console.error(`no bench "${name}": there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 1;
}
