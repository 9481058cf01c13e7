/** What HANDLER_MODULE names in the tests of the program. */
export default { default: new URL('./scripted.js', import.meta.url) };
