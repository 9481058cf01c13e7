-- Renews the leases of entries that a consumer still works on, so that nobody takes them over.
--
-- KEYS  stream, attempts, ledger
-- ARGV  group, consumer, lowest id, highest id, id ...
-- Returns the ids whose lease is already lost; they are not claimed back, their next owner may be running them.
--
-- Atomic because between looking at the owner and claiming, the owner could change.
local stream, attempts, ledger = KEYS[1], KEYS[2], KEYS[3]
local group, consumer = ARGV[1], ARGV[2]
local owned = owned_by(stream, group, consumer, ARGV[3], ARGV[4])

local mine, gone = {}, {}
for i = 5, #ARGV do
  local id = ARGV[i]
  if owned[id] then mine[#mine + 1] = id else gone[#gone + 1] = id end
end
if #mine > 0 then
  local claim = { 'XCLAIM', stream, group, consumer, 0 }
  for _, id in ipairs(mine) do claim[#claim + 1] = id end
  claim[#claim + 1] = 'JUSTID' -- without it every renewal would count as a delivery
  local lost = #mine - #redis.call(unpack(claim))
  -- Somebody deleted the entry: XCLAIM has dropped it from the pending list, and nobody would ever count it.
  if lost > 0 then
    redis.call('HINCRBY', ledger, 'lost', lost)
    for _, id in ipairs(mine) do
      if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then redis.call('HDEL', attempts, id) end
    end
  end
end
return gone
