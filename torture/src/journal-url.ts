// Handlers are told their journal by the query of their module's URL: tasks that come in by HTTP do not name it, and
// a library reads no environment.

/** The URL of a handler module that writes to this journal. */
export function withJournal(module: URL, journal: string): URL {
  const url = new URL(module);
  url.searchParams.set('journal', journal);
  return url;
}

/** A module beside this one, with the same journal. */
export function besides(moduleUrl: string, relative: string): URL {
  const url = new URL(relative, moduleUrl);
  url.search = new URL(moduleUrl).search;
  return url;
}

/** The journal of the module with this URL. */
export function journalOf(moduleUrl: string): string {
  const journal = new URL(moduleUrl).searchParams.get('journal');
  if (journal === null) throw new Error(`${moduleUrl} has no journal in its query`);
  return journal;
}
