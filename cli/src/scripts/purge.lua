-- Deletes dead letters of one group and stream for good.
--
-- KEYS  dead-letter stream, ledger of their group on their source stream
-- ARGV  id ...
-- Returns how many were there to delete
--
-- Atomic because what is deleted must be counted as that, or the audit would miss it.
redis.call('HGET', KEYS[2], 'purged') -- a ledger that is no hash must stop us before anything is deleted
local purged = redis.call('XDEL', KEYS[1], unpack(ARGV))
if purged > 0 then redis.call('HINCRBY', KEYS[2], 'purged', purged) end
return purged
