import { besides } from '../journal-url.js';

/** What HANDLER_MODULE names: the query with the journal goes on to the handler. */
export default { default: besides(import.meta.url, './work.js') };
