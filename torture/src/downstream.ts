/** The file that stands for a service on which tasks depend: while it is there, the service is down. */
export function outageOf(journalPath: string): string {
  return `${journalPath}.outage`;
}
