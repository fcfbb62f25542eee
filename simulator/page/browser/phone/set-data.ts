/** `setData({ 'items[0].name': value })`. */

type Container = Record<string, unknown>;

export function assignPath(data: Container, where: string, value: unknown): void {
  const names = where.split(/[.[\]]+/).filter((name) => name !== '');
  const last = names.pop();
  let container = data;
  for (const [at, name] of names.entries()) {
    const next = names[at + 1] ?? last ?? '';
    container[name] ??= /^\d+$/.test(next) ? [] : {};
    container = container[name] as Container;
  }
  if (last !== undefined) {
    container[last] = value;
  }
}
