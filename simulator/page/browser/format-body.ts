/** Bodies as people read them. */

export function formatBody(body: string): string {
  if (/^\s*[[{]/.test(body)) {
    try {
      return JSON.stringify(JSON.parse(body), undefined, 2);
    } catch {
      return body;
    }
  }
  return /^\s*</.test(body)
    ? body.replaceAll(/>\s*<(?!!\[CDATA|\/(?!xml>))/g, '>\n  <').replace(/\s*<\/xml>/, '\n</xml>')
    : body;
}
