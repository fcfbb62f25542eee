/** The parts of a stack reach each other on this machine, whatever proxies its environment names. */
import http from 'node:http';

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

type Environment = Record<string, string | undefined>;

/**
 * Takes loopback out of what goes through a proxy, in this process and in those that it starts. Any
 * other host keeps its proxy.
 */
export function keepLoopbackDirect(environment: Environment = process.env): void {
  const listed = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  const hosts = listed.split(/[,\s]+/).filter((host) => host !== '');
  const all = hosts.includes('*') ? '*' : [...new Set([...hosts, ...LOOPBACK])].join(',');
  environment['no_proxy'] = all;
  environment['NO_PROXY'] = all;
  // Node read the variables when it started: it looks at them again only when told to.
  if (usesProxies(environment)) {
    http.setGlobalProxyFromEnv?.(environment);
  }
}

function usesProxies(environment: Environment): boolean {
  const options = [...process.execArgv, ...(environment['NODE_OPTIONS'] ?? '').split(/\s+/)];
  return environment['NODE_USE_ENV_PROXY'] === '1' || options.includes('--use-env-proxy');
}
