/** CommonJS for the files of the mini-program. */

const loaded = new Map<string, { exports: unknown }>();

/** Runs a module once; `path` from the root of the mini-program. */
export function requireModule(path: string): unknown {
  const known = loaded.get(path);
  if (known) {
    return known.exports;
  }
  const run = miniProgramFiles.modules[path];
  if (!run) {
    throw new Error(`the mini-program has no module ${path}`);
  }
  const module = { exports: {} as unknown };
  loaded.set(path, module);
  run((wanted) => requireModule(resolve(path, wanted)), module, module.exports);
  return module.exports;
}

/** A path as a file names it, from the root; `.js` may be left out. */
function resolve(from: string, wanted: string): string {
  const base = new URL(wanted, `file:///${from}`).pathname.slice(1);
  const found = [base, `${base}.js`, `${base}/index.js`].find(
    (path) => path in miniProgramFiles.modules,
  );
  if (found === undefined) {
    throw new Error(`${from} requires ${wanted}, which is not there`);
  }
  return found;
}
