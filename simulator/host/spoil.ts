/** Answers that are not WeChat's own words: a page of a proxy in between, half an answer. */
import type { Answer } from './http.ts';
import type { Fault } from './faults.ts';
import type { Message } from './messages.ts';

const DEFAULT_STATUS = 502;

/** Kinds that work alike at every address, on an answer that is ready or instead of one. */
export const isSpoiling = ({ kind }: Fault): boolean =>
  kind === 'html' || kind === 'truncated' || kind === 'cut';

/** `perform` is called unless the request never got as far as WeChat. An answer without a body stays whole. */
export function spoil(fault: Fault, perform: () => Answer, message: Message): Answer {
  if (fault.kind === 'html') {
    delete message.answerSignature;
    message.note = 'a proxy in between answered; WeChat never saw the request';
    return answerHtml(fault.status ?? DEFAULT_STATUS);
  }
  const answer = perform();
  if (answer.body === '') {
    return answer;
  }
  if (fault.kind === 'cut') {
    message.note = 'the connection was cut in the middle of the answer';
    return { ...answer, cut: true };
  }
  message.note = 'half of the answer is missing';
  if (answer.bytes) {
    return { ...answer, bytes: answer.bytes.subarray(0, Math.floor(answer.bytes.length / 2)) };
  }
  const characters = [...answer.body];
  return { ...answer, body: characters.slice(0, Math.floor(characters.length / 2)).join('') };
}

const answerHtml = (status: number): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html' },
  body: `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
});
