// @ts-check
/** Which strings of the code are texts for people. The build takes these, and no others, from the catalogs (docs/languages.md). */

/** Folders whose texts come with every page: what all share, and what the first page shows. */
export const FIRST = [
  'alerts',
  'cameras',
  'cluster',
  'lib',
  'locales',
  'login',
  'metrics',
  'overview',
  'shell',
];

/** What of these folders only comes with a page of that name, the login or a dialog. */
const LATER =
  /(?:^|\/)src\/(?:login\/Login\.|shell\/(?:Help|Invite)\.|alerts\/(?:AlertsPage|RuleItem|SilenceList)\.|cameras\/(?:CameraPage|CameraFacts|CameraPicture|StateHistory|Timeline|UnknownCamera|panels)\.)/;

/** The catalog that a file's texts are in: its folder's own, or the first. @param {string} file such as `src/nodes/words.ts` */
export function catalogOf(file) {
  const folder = /(?:^|\/)src\/([^/]+)\//.exec(file)?.[1] ?? 'first';
  return FIRST.includes(folder) && !LATER.test(file) ? 'first' : folder;
}

/** Attributes of elements and properties of components that people never read. */
const NO_TEXT = new Set(
  (
    'class id for href src rel role type name value d viewBox fill stroke points transform key level side align autocomplete ' +
    'inputmode enterkeyhint spellcheck preserveAspectRatio tabindex target method action slot style lang dir loading decoding ' +
    'form data-scheme content property aria-describedby aria-labelledby aria-controls aria-current aria-autocomplete aria-live'
  ).split(' '),
);

/** Names of keys, headers, colours and the like, which begin like words. */
const NAMES = new Set(
  (
    'Home End Enter Escape Tab Accept Origin Inf Highlight Alt Control Shift Meta Space Delete Backspace Canvas ' +
    'Framefleet RabbitMQ Prometheus TimeoutError GrayText Content-Type'
  ).split(' '),
);

/** Code that stands in a string: PromQL, CSS, addresses, types of media, templates of JSON. */
const CODE =
  /\dpx\b|#px\b|^python -m |[{}[\]<>=|\\]|;(?! )|:\/\/|^[-./(@:~&?]|^\w+\/[\w*.+-]+$|\w\(|^[\w-]+:[\w-]|--|__|\n/;

/** @param {string} text with `#` for what is put in */
export function isText(text) {
  const words = text.replace(/\{\d+\}/g, '#').trim();
  if (!/\p{L}{2}|^\p{L}$|[#\d] \p{L}\b/u.test(words)) return false;
  if (NAMES.has(words)) return false;
  if (CODE.test(words)) return false;
  // A sentence or a part of one, or a word with a capital letter.
  return (
    (/[\p{L}#\d%’)”,.:;…–][ \u00a0]+[\p{L}#(“–]/u.test(words) && /\p{L}/u.test(words.replace(/#/g, ''))) ||
    /^\p{Lu}\p{Ll}+[….?!:]?$/u.test(words)
  );
}

/** Whole texts of the markup that are names, the same in every language. */
const SAME = new Set([
  'framefleet',
  'Framefleet',
  'CSV',
  'NDJSON',
  'Esc',
  'p95',
  'SHA-256 #',
  '#+#',
  'gate-3:1795210000000:4711',
]);

/** What is in them is to be typed, or is no text. */
const CODE_ELEMENTS = new Set(['script', 'style', 'path', 'code', 'pre', 'kbd']);

/** @type {import('wuchale').HeuristicFunc} */
export function heuristic({ msgStr, details }) {
  const text = msgStr.join('\n');
  const { scope, element, attribute, call } = details;
  if (!/\p{L}/u.test(text.replace(/\{\d+\}/g, ''))) return false;
  if (CODE_ELEMENTS.has(element ?? '') && scope === 'markup') return false;
  if (SAME.has(text.trim()) || /^.$/u.test(text.trim())) return false;
  if (scope === 'markup') return 'message';
  if (attribute !== undefined && NO_TEXT.has(attribute)) return false;
  if (call !== undefined && /^(console\.|matchMedia$|fetch$|Intl\.)|\.getChild$/.test(call)) return false;
  if (
    scope === 'attribute' &&
    /^(aria-(label|description|roledescription|valuetext|placeholder)|title|alt|placeholder|label)$/.test(
      attribute ?? '',
    )
  )
    return 'message';
  return isText(text) ? 'message' : false;
}

const SHOWN =
  /\b(?:title|alt|placeholder|label|aria-label|aria-description|aria-roledescription|aria-valuetext)="([^"]*)"/g;

/** Strings that look like texts and are none: names of things, and what is told to developers. */
const KNOWN = [
  // Errors that no person meets: they end the page's start, or are told in other words.
  /^(index|login)\.html has no #app$/,
  /^this browser gives no 2d canvas$/,
  /^the gateway is away$/,
  // Each language in itself.
  /^(English|Tiếng Việt)$/,
  // Classes that Svelte has scoped or a component passes on, and styles.
  /^menu [\w-]+$/,
  /\bsvelte-\w+$/,
  /\bvar\(--|^\.cm-/,
  // Nodes of PromQL's grammar.
  /^(And|Unless|Mul|Div|Add|Sub)$/,
  // Commands to type.
  /^(make|SOURCE=#|docker compose|python -m) /,
];

/** The texts for people that are in a string of built code, by a wider sieve than the heuristic's. @param {string} string */
export function remaining(string) {
  const html = /<[a-z!/]/.test(string);
  const parts = html
    ? [
        ...string
          .replace(/<(code|kbd|pre)\b[^>]*>[^<]*<\/\1>/g, ' ')
          .replace(/<[^>]*>/g, '\n')
          .split('\n'),
        ...[...string.matchAll(SHOWN)].map((found) => found[1] ?? ''),
      ]
    : [string];
  return parts
    .map((part) => part.trim())
    .filter(
      (part) =>
        (/\p{L}{2,} \p{L}{2,}/u.test(part) || /^\p{Lu}\p{Ll}{2,}$/u.test(part)) &&
        !SAME.has(part) &&
        !NAMES.has(part) &&
        !KNOWN.some((known) => known.test(part)),
    );
}
