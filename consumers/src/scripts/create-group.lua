-- Creates the group, and the stream if need be.
--
-- KEYS  stream, ledger
-- ARGV  group
-- Returns 1, or 0 when the group existed
--
-- Atomic because of what the ledger is told: a group is given what is in the stream now and what comes after, so
-- the entries that are gone already are none of its business. They are counted as `before`, without which it
-- would look as if the group had lost them.
local stream, ledger, group = KEYS[1], KEYS[2], ARGV[1]

-- From the beginning of the stream and not from its end: what was appended before the first consumer came is to
-- be worked off too.
local created = redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
if created.err then
  if string.find(created.err, '^BUSYGROUP') then return 0 end
  return created
end

local facts = {}
local reply = redis.call('XINFO', 'STREAM', stream)
for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
local gone = facts['entries-added'] - facts.length

local counted = 0
for _, count in ipairs(redis.call('HMGET', ledger, 'done', 'dead', 'lost', 'skipped', 'written_off')) do
  counted = counted + (tonumber(count) or 0)
end
if redis.call('EXISTS', ledger) == 0 then
  if gone > 0 then redis.call('HSET', ledger, 'before', gone) end
elseif gone < counted + (tonumber(redis.call('HGET', ledger, 'before')) or 0) then
  -- Fewer are gone than we have settled: this is another stream than the one we knew. From here on the ledger adds
  -- up again; that what was in the old one is not known to anybody is remembered.
  redis.call('HINCRBY', ledger, 'streams_deleted', 1)
  redis.call('HSET', ledger, 'before', gone - counted)
end
return 1
