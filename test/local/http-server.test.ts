import { once } from 'node:events';
import { createServer, type AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertPortFree, listenOnLoopback } from '../../local/http-server.ts';
import { fakePlatform, restorePlatform } from '../support/platform.ts';

afterEach(restorePlatform);

/** As Windows answers for a port in one of its excluded ranges. */
const reservePorts = () =>
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function listen(this: Server) {
    const error = Object.assign(new Error('listen EACCES'), { code: 'EACCES', syscall: 'listen' });
    process.nextTick(() => this.emit('error', error));
    return this;
  });

describe('a port that cannot be had', () => {
  it.each([
    ['linux', 'PORT'],
    ['win32', '$env:PORT'],
  ])('because it is taken names the way to another (%s)', async (platform, variable) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    fakePlatform(platform);
    await expect(assertPortFree({ port, portVariable: 'PORT' })).rejects.toThrow(
      `port ${port} is already in use: end the program that holds it, or choose another port with ${variable}`,
    );
    holder.close();
  });

  it('because Windows keeps it says which command lists such ports', async () => {
    reservePorts();
    fakePlatform('win32');
    await expect(listenOnLoopback(() => {}, { port: 3000, portVariable: 'PORT' })).rejects.toThrow(
      'port 3000 is reserved by this system: choose another port with $env:PORT = 3001. Windows lists the ports that it keeps for Hyper-V, WSL and Docker with: netsh interface ipv4 show excludedportrange protocol=tcp',
    );
  });

  it('because it needs more rights says so elsewhere', async () => {
    reservePorts();
    fakePlatform('darwin');
    await expect(listenOnLoopback(() => {}, { port: 80, portVariable: 'PORT' })).rejects.toThrow(
      /^port 80 is reserved by this system: choose another port with PORT=81$/,
    );
  });
});
