// What HANDLER_MODULE names: loaded by the main thread of the consumer, before it starts its worker threads.
import { RunTally } from './run-tally.js';

const { searchParams } = new URL(import.meta.url);
RunTally.create(Number(searchParams.get('numbered'))).answerQuestions();

const handlers: Readonly<Record<string, URL>> = { default: new URL('./sluice-handler.js', import.meta.url) };
export default handlers;
