// HANDLER_MODULE of the scan for secrets: a handler whose errors quote what they were given.
export default { default: new URL('./telling-handler.js', import.meta.url) };
