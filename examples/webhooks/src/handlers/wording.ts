const LONGEST_QUOTE = 120;

/** A title or message as it may stand in a sentence: its first line, in quotes, cut to a bearable length. */
export function quote(text: string): string {
  const firstLine = text.trimStart().split(/\r?\n/, 1)[0] ?? '';
  const letters = Array.from(firstLine); // whole characters: cutting UTF-16 units can halve an emoji
  const short =
    letters.length > LONGEST_QUOTE ? `${letters.slice(0, LONGEST_QUOTE - 1).join('')}…` : firstLine;
  return `“${short}”`;
}

/** `1 commit`, `3 commits` */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** An action as a verb phrase: `ready_for_review` becomes `ready for review`. */
export function words(action: string): string {
  return action.replaceAll('_', ' ');
}
