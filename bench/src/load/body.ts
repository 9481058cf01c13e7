/** An event as services send them, with its envelope: 189 bytes of JSON. The `data` is what a handler would get. */
export const BODY = JSON.stringify({
  data: {
    event: 'order.paid',
    order_id: 'ord_01HV6ZK3T9',
    customer_id: 184_467,
    email: 'jane.doe@example.com',
    amount: 49.9,
    currency: 'EUR',
    items: 3,
    paid_at: '2024-05-17T09:30:00.000Z',
  },
});
