/** A Redis URL as it may be shown. */
export function withoutPassword(url: string): string {
  // Up to the last @: a password may contain one.
  return url.replace(/\/\/.*@/, '//***@');
}
