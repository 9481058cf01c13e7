import { defineHandler } from '@sluice/consumers';

export default defineHandler('default', () => {});
