import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TaskType } from '@sluice/contract';
import { StoredAnswer } from '../http/stored-answer.js';
import type { ResolvedEngineOptions } from '../options.js';
import { openApiDocument } from './openapi.js';

/** The API described: what is served, by path. */
export interface ApiDocs {
  readonly answers: ReadonlyMap<string, StoredAnswer>;
  /** Whether only holders of an API key get it: which task types there are is told to them only. */
  readonly forKeyHolders: boolean;
  /** Whether there would be a page, but the package that shows it is not installed. */
  readonly lacksPage: boolean;
}

/** Finds a file of Swagger UI; nothing where it is not installed. */
export type FindSwaggerUi = (file: string) => Buffer | undefined;

/** Reads and makes all that describes the API, once; nothing where that is off. */
export function apiDocsOf(
  options: ResolvedEngineOptions,
  taskTypes: readonly TaskType[],
  find: FindSwaggerUi = installedSwaggerUi,
): ApiDocs | undefined {
  if (options.apiDocs === 'off') return undefined;
  const document = JSON.stringify(openApiDocument(options, taskTypes));
  const answers = new Map([['/openapi.json', new StoredAnswer('application/json', Buffer.from(document))]]);
  const forKeyHolders = options.apiKeysFile !== undefined && options.apiDocs !== 'public';
  // A browser that opens a page sends no key.
  const page = forKeyHolders ? [] : pageAnswers(find);
  for (const [path, answer] of page) answers.set(path, answer);
  return { answers, forKeyHolders, lacksPage: !forKeyHolders && page.length === 0 };
}

/**
 * Swagger UI and a page that shows it, all from here: it works offline, and no third party learns who reads it. The
 * package is not installed with the engine (see docs/decisions/0014-the-page-for-people.md): without it, there is no page.
 */
function pageAnswers(find: FindSwaggerUi): [path: string, answer: StoredAnswer][] {
  const script = find('swagger-ui-bundle.js');
  const style = find('swagger-ui.css');
  if (script === undefined || style === undefined) return [];
  return [
    ['/docs', new StoredAnswer('text/html; charset=utf-8', Buffer.from(PAGE), PAGE_HEADERS)],
    ['/docs/start.js', new StoredAnswer('text/javascript; charset=utf-8', Buffer.from(START))],
    ['/docs/swagger-ui-bundle.js', new StoredAnswer('text/javascript; charset=utf-8', script)],
    ['/docs/swagger-ui.css', new StoredAnswer('text/css; charset=utf-8', style)],
  ];
}

function installedSwaggerUi(file: string): Buffer | undefined {
  try {
    return readFileSync(createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`));
  } catch {
    return undefined;
  }
}

// Paths are seen from the page, so that it works behind a gateway too.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `window.SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  deepLinking: true,
  // Nobody outside is asked whether the document is valid.
  validatorUrl: null,
});
`;

const PAGE_HEADERS = [
  [
    'Content-Security-Policy',
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['Referrer-Policy', 'no-referrer'],
] as const;
