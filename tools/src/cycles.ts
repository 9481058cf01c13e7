/**
 * The import cycles of a graph: from each file that closes one, the way round back to itself.
 * Every graph with a cycle yields at least one; the same ring is named once.
 */
export function findCycles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const finished = new Set<string>();
  const path: string[] = [];
  const cycles: string[][] = [];

  const visit = (file: string): void => {
    if (finished.has(file)) return;
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      cycles.push([...path.slice(seenAt), file]);
      return;
    }
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };

  for (const file of imports.keys()) visit(file);
  return cycles;
}
