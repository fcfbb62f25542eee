/** Chooses a route the way an HTTP API does: the most specific wins. */
import type { Route } from './template.ts';

export interface RouteMatch {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** `path` is decoded. Undefined when not even `$default` is there. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): RouteMatch | undefined {
  const candidates = routes.flatMap((route) => {
    const match = tryRoute(route, method, path);
    return match === undefined ? [] : [match];
  });
  const [best] = candidates.sort((a, b) => rank(a.route) - rank(b.route));
  return best;
}

function tryRoute(route: Route, method: string, path: string): RouteMatch | undefined {
  if (route.key === '$default') {
    return { route, pathParameters: {} };
  }
  const [verb = '', template = ''] = route.key.split(' ');
  if (verb !== 'ANY' && verb !== method) {
    return undefined;
  }
  const names: string[] = [];
  const pattern = template.split('/').map((segment) => {
    const parameter = /^\{([^}+]+)(\+?)\}$/.exec(segment);
    if (parameter === null) {
      return RegExp.escape(segment);
    }
    names.push(parameter[1] ?? '');
    return parameter[2] === '+' ? '(.+)' : '([^/]+)';
  });
  const found = new RegExp(`^${pattern.join('/')}$`, 's').exec(path);
  if (found === null) {
    return undefined;
  }
  const pathParameters = Object.fromEntries(names.map((name, i) => [name, found[i + 1] ?? '']));
  return { route, pathParameters };
}

/** Lower is better: literal before parameter before greedy, a named method before ANY. */
function rank({ key }: Route): number {
  if (key === '$default') {
    return 1000;
  }
  const parameters = key.split('{').length - 1;
  return (key.includes('+}') ? 100 : 0) + parameters * 2 + (key.startsWith('ANY ') ? 1 : 0);
}
