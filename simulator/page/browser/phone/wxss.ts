/** WXSS is CSS with `rpx`, of which 750 are the width of the phone. */

interface Wxss {
  readonly css: string;
  readonly sheet: CSSStyleSheet;
}

const sheets = new Map<string, Wxss>();
let isDark = false;

/** `scope` keeps the rules of one page away from the others. */
export function applyWxss(name: string, source: string, scope?: string): void {
  if (sheets.has(name)) {
    return;
  }
  const plain = source
    .replaceAll(/@import[^;]+;/g, '')
    .replaceAll(/(-?[\d.]+)rpx/g, 'calc($1 * var(--rpx))');
  const scoped = plain.replaceAll(/(^|[\s,}])page(?=[\s{,:])/g, '$1&');
  const wxss = {
    css: scope === undefined ? plain : `${scope} { ${scoped} }`,
    sheet: new CSSStyleSheet(),
  };
  sheets.set(name, wxss);
  fill(wxss);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, wxss.sheet];
}

/** The phone's theme is the page's, which may be another than the system's. */
export function setDark(dark: boolean): void {
  isDark = dark;
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  for (const wxss of sheets.values()) {
    fill(wxss);
  }
}

function fill({ css, sheet }: Wxss): void {
  sheet.replaceSync(
    css
      .replaceAll('(prefers-color-scheme: dark)', isDark ? 'all' : 'not all')
      .replaceAll('(prefers-color-scheme: light)', isDark ? 'not all' : 'all'),
  );
}
