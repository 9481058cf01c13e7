/** Tells the bench that an app listens on a port of 127.0.0.1, and has it end with the bench. */
export function serving(port: number): void {
  process.on('disconnect', () => process.exit());
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}/tasks` });
}
