-- Renews the leases of entries that a consumer still works on, so that nobody takes them over.
--
-- KEYS  stream, attempts, ledger
-- ARGV  group, consumer, lowest id, highest id, then per entry: id, deliveries as the consumer knows them
-- Returns which of them, counted from 0, are lost already; they are not claimed back, their next owner may run them.
-- Also lost when the same consumer was given the entry again: that is another run.
--
-- Atomic because between looking at the owner and claiming, the owner could change.
local stream, attempts, ledger = KEYS[1], KEYS[2], KEYS[3]
local group, consumer = ARGV[1], ARGV[2]
local owned = owned_by(stream, group, consumer, ARGV[3], ARGV[4])

local mine, gone = {}, {}
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  if owned[id] == tonumber(ARGV[i + 1]) then mine[#mine + 1] = id else gone[#gone + 1] = (i - 5) / 2 end
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
