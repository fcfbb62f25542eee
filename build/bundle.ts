/**
 * `npm run build`: one zip per file in `functions/`, the same bytes on every run and machine.
 *
 * A zip holds `index.mjs` alone, with everything in it (the AWS SDK too: the runtime's own copy
 * changes without a deployment). Source maps stay beside the zips, because Node would have to parse
 * one at a cold start; the bundle keeps its names and lines, so a stack trace reads without it.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { zipSync } from 'fflate';

const projectDirectory = resolve(import.meta.dirname, '..');

const PRODUCTION_SOURCE = /^(functions|lib)\/|^build\/credential-provider\.ts$/;
const LOADS_UNDICI = /^(node:)?http$|^undici(\/|$)/;
/** Up to the innermost `node_modules/<package>`: how a lock file names an installed package. */
const PACKAGE_DIRECTORY = /^.*node_modules\/(@[^/]+\/)?[^/]+/;

/** Zip's "made by" system, without which the file mode below is ignored. */
const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** One function's zip. Sizes in bytes, `path` absolute. */
export interface Bundle {
  name: string;
  path: string;
  codeBytes: number;
  zipBytes: number;
  sha256: string;
  metafile: Metafile;
}

/** The part of `package-lock.json` that tells a development dependency from a production one. */
interface LockFile {
  packages: Record<string, { dev?: boolean }>;
}

/** Names of the deployed functions: the files of `functions/`. */
export const listFunctions = async () =>
  (await readdir(join(projectDirectory, 'functions')))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => parse(file).name)
    .toSorted();

/** Bundles every function into `outputDirectory` and throws when a bundle holds what it must not. */
export async function bundleFunctions(
  outputDirectory = join(projectDirectory, '.build'),
): Promise<Bundle[]> {
  await mkdir(outputDirectory, { recursive: true });
  const lockFile: LockFile = JSON.parse(
    await readFile(join(projectDirectory, 'package-lock.json'), 'utf8'),
  );
  const bundles: Bundle[] = [];
  for (const name of await listFunctions()) {
    const bundle = await bundleFunction(name, outputDirectory);
    const problems = findForbiddenInputs(bundle.metafile, lockFile);
    if (problems.length > 0) {
      throw new Error(`${name}: ${problems.join('; ')}`);
    }
    bundles.push(bundle);
  }
  return bundles;
}

async function bundleFunction(name: string, outputDirectory: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: projectDirectory,
    entryPoints: [`functions/${name}.ts`],
    outfile: join(outputDirectory, `${name}.mjs`),
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The ES module builds of dependencies can be tree-shaken; Node's default, `main`, cannot.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    alias: { '@aws-sdk/credential-provider-node': './build/credential-provider.ts' },
    // Identifiers keep their names: they cost nothing once zipped and make stack traces readable.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 200,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'warning',
  });
  const [code, sourceMap] = ['.mjs', '.mjs.map'].map(
    (extension) => outputFiles.find((file) => file.path.endsWith(`${name}${extension}`))?.contents,
  );
  if (code === undefined || sourceMap === undefined) {
    throw new Error(`${name}: nothing was built`);
  }
  const zip = zipCode(code);
  const path = join(outputDirectory, `${name}.zip`);
  await replaceFile(path, zip);
  await replaceFile(join(outputDirectory, `${name}.mjs.map`), sourceMap);
  return {
    name,
    path,
    codeBytes: code.length,
    zipBytes: zip.length,
    sha256: createHash('sha256').update(zip).digest('hex'),
    metafile,
  };
}

/** Written beside it, then renamed over it: whoever reads meanwhile gets a whole file. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, content);
  await rename(draft, path);
}

/**
 * The same code gives the same bytes. A zip stores local wall-clock time, so the fixed time is a
 * local one too: an instant would make the bytes depend on the time zone.
 */
const zipCode = (code: Uint8Array) =>
  zipSync({
    'index.mjs': [
      code,
      { level: 9, mtime: new Date(1980, 0, 1, 12), os: UNIX, attrs: (REGULAR_FILE | 0o644) << 16 },
    ],
  });

/** What of a bundle's inputs has no place in production, one sentence each. */
export function findForbiddenInputs({ inputs }: Metafile, lockFile: LockFile): string[] {
  return Object.entries(inputs).flatMap(([path, { imports }]) => {
    const isOurs = !path.includes('node_modules/');
    if (isOurs && !PRODUCTION_SOURCE.test(path)) {
      return [`${path} is not production code`];
    }
    if (isOurs) {
      return imports
        .filter(({ path: imported }) => LOADS_UNDICI.test(imported))
        .map(({ path: imported }) => `${path} imports ${imported}, which loads undici`);
    }
    const packageDirectory = PACKAGE_DIRECTORY.exec(path)?.[0];
    const isDevelopmentOnly = lockFile.packages[packageDirectory ?? '']?.dev === true;
    return isDevelopmentOnly ? [`${path} is from a development dependency`] : [];
  });
}

/** Prints what was built and what it weighs. */
export const formatTable = (bundles: Bundle[]) =>
  [['function', 'code kB', 'zip kB', 'sha256'], ...bundles.map(formatRow)]
    .map(([name = '', code = '', zip = '', hash = '']) =>
      [name.padEnd(12), code.padStart(8), zip.padStart(8), hash.slice(0, 12)].join('  '),
    )
    .join('\n');

const formatRow = ({ name, codeBytes, zipBytes, sha256 }: Bundle) => [
  name,
  (codeBytes / 1000).toFixed(1),
  (zipBytes / 1000).toFixed(1),
  sha256,
];

if (import.meta.main) {
  console.log(formatTable(await bundleFunctions(process.argv[2])));
}
