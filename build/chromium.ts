/** The Chromium that the page is tested and photographed with: the system's own, or `CHROMIUM`. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Playwright gives it a new profile. Throws, and says what to do, when there is no Chromium. */
export async function launchChromium(): Promise<Browser> {
  const { CHROMIUM: chosen } = process.env;
  const executablePath = chosen ?? USUAL_PLACES.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${chosen ?? USUAL_PLACES.join(', ')}: install it, or set CHROMIUM to its path`,
    );
  }
  // Its sandbox does not work as root, as in a container.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: !isRoot });
}
