// HANDLER_MODULE of the status tests.
export default { default: new URL('./status-handler.js', import.meta.url) };
