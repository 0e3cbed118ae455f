import { createHash } from 'node:crypto';

/** What the document is made of. */
export interface DocumentParts {
  readonly title: string;
  /** The one script, an ECMAScript module; it must not contain `</script`. */
  readonly script: string;
  readonly style: string;
  /** What the script reads, by the id of its element: a value as JSON, or a text of base64. */
  readonly data: readonly { readonly id: string; readonly content: DocumentData }[];
}

export type DocumentData = { readonly json: unknown } | { readonly base64: string };

/**
 * One self-contained HTML document: nothing is requested, and nothing may run but the one script. The policy names the
 * hashes of script and style (https://www.w3.org/TR/CSP3/); a meta element is all that a file has.
 */
export function htmlDocument({ title, script, style, data }: DocumentParts): string {
  const elements = data.map(({ id, content }) =>
    'json' in content
      ? `<script type="application/json" id="${id}">${safeJson(content.json)}</script>`
      : `<script type="application/octet-stream" id="${id}">${content.base64}</script>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript, which it holds itself: nothing is loaded from anywhere.</noscript></div>
${elements.join('\n')}
<script type="module">${script}</script>
</body>
</html>
`;
}

/** Nothing is allowed but this script and this style. */
export function contentPolicy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that cannot end its element, whatever names are in it: `<` is escaped. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
