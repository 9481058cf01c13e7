-- Renews the leases of entries that a consumer still works on, so that nobody takes them over.
--
-- KEYS  stream
-- ARGV  group, consumer, lowest id, highest id, id ...
-- Returns the ids whose lease is already lost; they are not claimed back, their next owner may be running them.
--
-- Atomic because between looking at the owner and claiming, the owner could change.
local stream = KEYS[1]
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
  redis.call(unpack(claim))
end
return gone
