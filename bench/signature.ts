/**
 * `npm run bench -- signature`: our v2 signature and XML beside two published clients, in one process and one
 * run, so that only the ratios count. Each task does the same work on the same message.
 */
import { Transformer, Hash } from 'wechatpay-axios-plugin';
import { Bench } from 'tinybench';
import { sign, verifySign } from '../lib/wechatpay/v2/protocol/sign.ts';
import { buildXml, parseXml } from '../lib/wechatpay/v2/protocol/xml.ts';

const KEY = '192006250b4c09247ec02edce69f6a2d';

const message: Record<string, string> = {
  appid: 'wx2421b1c4370ec43b',
  attach: '支付测试',
  bank_type: 'CFT',
  fee_type: 'CNY',
  is_subscribe: 'N',
  mch_id: '10000100',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: '1409811653',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  time_end: '20140903131540',
  total_fee: '1',
  trade_type: 'JSAPI',
  transaction_id: '1004400740201409030005092168',
};
const signed = { ...message, sign: sign(Object.entries(message), KEY, 'HMAC-SHA256') };
const xml = buildXml(Object.entries(signed));
const bytes = Buffer.from(xml);

const OURS = 'strict guard, parse and verify (this project)';
const PEER = 'parse and verify (wechatpay-axios-plugin)';

const bench = new Bench({ time: 1_000 });
bench.add(OURS, async () => {
  await verifySign(parseXml(bytes), [KEY], 'HMAC-SHA256');
});
bench.add(PEER, () => {
  const fields = Transformer.toObject(bytes.toString()) as Record<string, string>;
  const expected = Hash.sign('HMAC-SHA256', fields, KEY);
  if (!Hash.equals(expected, fields['sign'] ?? '')) {
    throw new Error('the peer does not verify');
  }
});
await bench.run();

const latencies = new Map(bench.tasks.map((task) => [task.name, medianMs(task)]));
const peer = latencies.get(PEER) ?? Number.NaN;
for (const [name, ms] of latencies) {
  console.log(`${(ms / peer).toFixed(2)}x  ${(ms * 1000).toFixed(1)} µs  ${name}`);
}

function medianMs(task: (typeof bench.tasks)[number]): number {
  if (!('latency' in task.result)) {
    throw new Error(`${task.name} did not finish`);
  }
  return task.result.latency.p50;
}
