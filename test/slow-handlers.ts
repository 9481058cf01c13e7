// HANDLER_MODULE of the crash tests: a handler that takes a while, so that every kill meets tasks half done.
export default { default: new URL('./slow-handler.js', import.meta.url) };
