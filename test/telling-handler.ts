import { defineHandler, Unrecoverable } from '@sluice/consumers';

/** Says what it was given in every error it can throw, as handlers do. */
export default defineHandler('default', async (task) => {
  const { do: how, secret } = task.data as { do: string; secret: string };
  const quoting = `no account for ${secret}`;
  switch (how) {
    case 'done':
      return;
    case 'fail':
      throw new TypeError(quoting);
    case 'die':
      throw new Unrecoverable(quoting);
    case 'name': {
      const error = new Error('named');
      error.name = `Refused ${secret}`;
      throw error;
    }
    case 'parse':
      JSON.parse(`{"quoted": ${secret}}`);
      return;
    case 'string':
      throw quoting;
    case 'crash':
      setImmediate(() => {
        throw new Error(quoting);
      });
      await new Promise(() => {});
  }
});
