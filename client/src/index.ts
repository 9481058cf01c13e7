export { type Client, type ClientOptions, createClient, type Receipt, type SendOptions } from './client.js';
export { type ErrorDetail, SendError } from './send-error.js';
