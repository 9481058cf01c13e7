-- Moves losses to what was given up.
--
-- KEYS  ledger
-- ARGV  of the counter `lost`, of what is missing and was never counted, of dead letters that are gone
-- Returns nothing
--
-- Atomic because in between the ledger would not add up. By amounts and not to new values: consumers go on counting.
local ledger, lost, missing, letters = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if lost > 0 then redis.call('HINCRBY', ledger, 'lost', -lost) end
if lost + missing > 0 then redis.call('HINCRBY', ledger, 'written_off', lost + missing) end
if letters > 0 then redis.call('HINCRBY', ledger, 'purged', letters) end
redis.call('HDEL', ledger, 'streams_deleted')
