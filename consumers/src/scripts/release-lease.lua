-- Gives leases up, so that others need not wait for them to run out.
--
-- KEYS  leases
-- ARGV  who asks
-- Returns nothing
--
-- Atomic because a lease that has run out meanwhile may be somebody else's.
for _, lease in ipairs(KEYS) do
  if redis.call('GET', lease) == ARGV[1] then redis.call('DEL', lease) end
end
