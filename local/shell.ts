/** What a developer is told to type, in the words of sh or, on Windows, of PowerShell. */

const onWindows = () => process.platform === 'win32';

/** Sets a variable for the next command. */
export const setVariable = (variable: string, value: string | number): string =>
  onWindows() ? `$env:${variable} = ${value}` : `${variable}=${value}`;

/** Ends a process with everything that it started. */
export const endProcess = (pid: number): string =>
  onWindows() ? `taskkill /T /F /PID ${pid}` : `kill ${pid}`;

/** In PowerShell 5.1 the bare name is another program. */
export const curl = (): string => (onWindows() ? 'curl.exe' : 'curl');

/** A payment step by step, at these addresses. */
export function describeFirstSteps(urls: { apiUrl: string; simulatorUrl: string }): string {
  return onWindows() ? inPowerShell(urls) : inSh(urls);
}

function inSh({ apiUrl, simulatorUrl }: { apiUrl: string; simulatorUrl: string }): string {
  return `  curl -s ${simulatorUrl}/_simulator/login -d '{"user":"alice"}'
  curl -s ${apiUrl}/login -d '{"code":"<code>"}'
  curl -s ${apiUrl}/prepay -H 'authorization: Bearer <token>' \\
       -H 'idempotency-key: my-first-order' -d '{"items":[{"sku":"latte","quantity":1}]}'
  curl -s -X POST ${simulatorUrl}/_simulator/orders/<outTradeNo>/pay
  curl -s ${apiUrl}/orders/<outTradeNo> -H 'authorization: Bearer <token>'`;
}

/** Without any program of its own: PowerShell 5.1 takes the quotes out of what it gives to one. */
function inPowerShell({ apiUrl, simulatorUrl }: { apiUrl: string; simulatorUrl: string }): string {
  return `  irm ${simulatorUrl}/_simulator/login -Method Post -Body '{"user":"alice"}'
  irm ${apiUrl}/login -Method Post -Body '{"code":"<code>"}'
  $headers = @{ authorization = 'Bearer <token>'; 'idempotency-key' = 'my-first-order' }
  irm ${apiUrl}/prepay -Method Post -Headers $headers -Body '{"items":[{"sku":"latte","quantity":1}]}'
  irm ${simulatorUrl}/_simulator/orders/<outTradeNo>/pay -Method Post
  irm ${apiUrl}/orders/<outTradeNo> -Headers $headers`;
}
