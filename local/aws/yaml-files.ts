/** YAML as the Serverless Framework reads it: `${file(deploy/table.yml)}` stands for that file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';

/** `${file(<path>)}` or `${file(<path>):<key>.<key>}`, and nothing beside it. */
const FILE_REFERENCE = /^\$\{file\(([^)]+)\)(?::([^},]+))?\}$/;
const READABLE = /\.(?:ya?ml|json)$/;

/**
 * The content of a YAML text. Unknown tags (!Ref, !Sub) are CloudFormation's business: they parse
 * as if they were not there.
 *
 * @throws {Error} with `name` when the text is no YAML.
 */
export function parseYaml(text: string, name: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new Error(`${name}: ${error.message}`);
  }
  return document.toJS();
}

/**
 * The value with every file reference in it replaced by what the file says, also in files that are
 * themselves referred to. Paths count from `directory`, as in the framework.
 *
 * @throws {Error} naming a file that is not there, cannot be read here, or refers to itself.
 */
export function resolveFiles(
  value: unknown,
  directory: string,
  within: readonly string[] = [],
): unknown {
  if (typeof value === 'string') {
    const [, file, address] = FILE_REFERENCE.exec(value) ?? [];
    return file === undefined ? value : readReference(file.trim(), address, directory, within);
  }
  if (Array.isArray(value)) {
    return value.map((part) => resolveFiles(part, directory, within));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, resolveFiles(part, directory, within)]),
    );
  }
  return value;
}

function readReference(
  file: string,
  address: string | undefined,
  directory: string,
  within: readonly string[],
): unknown {
  if (!READABLE.test(file)) {
    throw new Error(`serverless.yml: the local stack reads YAML and JSON only, not ${file}`);
  }
  const reference = `${file}:${address ?? ''}`;
  if (within.includes(reference)) {
    throw new Error(`serverless.yml: ${file} refers to itself`);
  }
  const content = parseYaml(readFile(path.resolve(directory, file), file), file);
  return resolveFiles(pick(content, address), directory, [...within, reference]);
}

function readFile(absolute: string, file: string): string {
  try {
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    throw new Error(`serverless.yml names ${file}, which cannot be read`, { cause: error });
  }
}

/** `first.second` of a nested object; undefined when there is no such key. */
function pick(content: unknown, address: string | undefined): unknown {
  return (address?.split('.') ?? []).reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null ? Reflect.get(node, key.trim()) : undefined,
    content,
  );
}
