import { parseSync, type Span, Visitor } from 'oxc-parser';

/** One place where a source file names another module. */
export interface ImportFound {
  specifier: string;
  line: number;
}

/** What the layer rules need to know of one source file. */
export interface SourceFacts {
  /** Every import whose target is written down: static, dynamic, re-export, type, `require`, `import.meta.resolve`. */
  imports: readonly ImportFound[];
  /** Lines that read `process.env`. */
  environmentReads: readonly number[];
}

/** The part of a syntax tree node that is looked at here; which fields a node has depends on its `type`. */
interface Expression {
  type: string;
  start: number;
  name?: string;
  value?: unknown;
  object?: Expression;
  property?: Expression;
  computed?: boolean;
  callee?: Expression;
  quasis?: readonly { value: { cooked: string | null } }[];
  expressions?: readonly unknown[];
}

/**
 * Reads one TypeScript source with a real parser: text search would trip over strings and comments, and the
 * compiled JavaScript no longer has the type imports.
 *
 * @throws Error when the source does not parse: a file that cannot be read must not count as clean.
 */
export function readSource(path: string, text: string): SourceFacts {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) {
    throw new Error(`${path} does not parse: ${parsed.errors[0]?.message}`);
  }
  const lineOf = (span: Pick<Span, 'start'>) => text.slice(0, span.start).split('\n').length;
  const imports: ImportFound[] = [];
  const environmentReads: number[] = [];
  const processNames = new Set(['process']);

  const found = (source: Expression | null | undefined) => {
    const specifier = textOf(source);
    if (specifier !== undefined && source) imports.push({ specifier, line: lineOf(source) });
  };

  for (const { moduleRequest, entries } of parsed.module.staticImports) {
    imports.push({ specifier: moduleRequest.value, line: lineOf(moduleRequest) });
    if (!isProcessModule(moduleRequest.value)) continue;
    for (const { importName, localName } of entries) {
      if (importName.name === 'env') environmentReads.push(lineOf(localName));
      else if (importName.name === null) processNames.add(localName.value);
    }
  }
  for (const { entries } of parsed.module.staticExports) {
    // `export { a, b } from` is one entry per name: the module is counted once.
    const request = entries.find((entry) => entry.moduleRequest !== null)?.moduleRequest;
    if (request) imports.push({ specifier: request.value, line: lineOf(request) });
  }

  const isProcess = (node: Expression | undefined): boolean =>
    node?.type === 'MemberExpression'
      ? isProcess(node.object) || propertyName(node) === 'process'
      : node?.type === 'Identifier' && processNames.has(node.name ?? '');

  new Visitor({
    ImportExpression: (node) => found(node.source as Expression),
    TSImportType: (node) => found(node.source as Expression),
    TSExternalModuleReference: (node) => found(node.expression as Expression),
    CallExpression: (node) => {
      const callee = node.callee as Expression;
      const resolves = callee.object?.type === 'MetaProperty' && propertyName(callee) === 'resolve';
      if (resolves || callee.name === 'require') found(node.arguments[0] as Expression | undefined);
    },
    MemberExpression: (node) => {
      const member = node as Expression;
      if (propertyName(member) === 'env' && isProcess(member.object)) environmentReads.push(lineOf(node));
    },
    VariableDeclarator: (node) => {
      if (node.id.type !== 'ObjectPattern' || !isProcess(node.init as Expression | undefined)) return;
      for (const property of node.id.properties) {
        // `...rest` of process holds env too.
        if (property.type !== 'Property' || (property.key as Expression).name === 'env') {
          environmentReads.push(lineOf(node));
        }
      }
    },
  }).visit(parsed.program);
  return { imports, environmentReads };
}

function isProcessModule(specifier: string): boolean {
  return specifier === 'node:process' || specifier === 'process';
}

/** The text of a literal; nothing when it is computed, as the path of a user's handler module is. */
function textOf(source: Expression | null | undefined): string | undefined {
  if (source?.type === 'Literal' && typeof source.value === 'string') return source.value;
  if (source?.type === 'TemplateLiteral' && source.expressions?.length === 0) {
    return source.quasis?.[0]?.value.cooked ?? undefined;
  }
  return undefined;
}

function propertyName(member: Expression): string | undefined {
  if (member.computed) return textOf(member.property);
  return member.property?.name;
}
