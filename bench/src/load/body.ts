/** An event as services send them. */
export const DATA = {
  event: 'order.paid',
  order_id: 'ord_01HV6ZK3T9',
  customer_id: 184_467,
  email: 'jane.doe@example.com',
  amount: 49.9,
  currency: 'EUR',
  items: 3,
  paid_at: '2024-05-17T09:30:00.000Z',
};

/** The same with its envelope: 189 bytes of JSON. The `data` is what a handler would get. */
export const BODY = JSON.stringify({ data: DATA });

/** Number of the first task of a numbered load. Numbers have seven digits, so that all bodies are as long. */
export const FIRST_NUMBER = 1_000_000;

/** Data by which a task is recognised when its handler is called. */
export function numberedData(n: number): object {
  return { n: FIRST_NUMBER + n, ...DATA };
}
