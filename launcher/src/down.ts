import { ControlClient } from './control.js';
import type { Places } from './places.js';
import { endLeftOver } from './run-file.js';

/** `make down`: ends all that runs, whoever started it and whether its launcher still lives. Resolves with the exit code. */
export async function down(places: Places): Promise<number> {
  const launcher = await ControlClient.connect(places.controlSocket);
  if (launcher !== undefined) {
    launcher.stop();
    const state = await launcher.until(['ended']);
    await launcher.gone();
    if (state?.phase === 'ended') {
      console.log(state.line);
      return 0;
    }
  }
  // There is none, or it was killed while it was ending.
  const left = await endLeftOver(places.runFile);
  console.log(
    left.length > 0
      ? `ended what a launcher that was killed had left: ${left.join(', ')}`
      : 'Sluice does not run',
  );
  return 0;
}
