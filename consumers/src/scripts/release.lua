-- Gives entries back that a consumer holds and will not work off; they are due at once.
--
-- KEYS  stream, attempts, retries, ledger
-- ARGV  group, consumer, parked consumer, lowest id, highest id, then per entry: id, how
--       how = unstarted  its handler never ran: the delivery is taken back
--             excused    it ran, and was cut off through no fault of its own
--             crashed    it ran when its thread died, and may be the reason
-- Returns { ids that were not pending for this consumer, ids that are gone from the stream }
--
-- Atomic because an entry that is parked but not in the schedule would wait for ever.
local stream, attempts, retries, ledger = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local owned = owned_by(stream, group, consumer, ARGV[4], ARGV[5])
local now = now_ms()

local fenced, lost = {}, {}
local interrupted = 0
for i = 6, #ARGV, 2 do
  local id, how = ARGV[i], ARGV[i + 1]
  local deliveries = owned[id]
  if not deliveries then
    fenced[#fenced + 1] = id
  elseif park(stream, group, parked, id, how == 'unstarted' and deliveries - 1 or nil) then
    if how == 'excused' then
      local failed, first, excused = history_of(attempts, id)
      remember(attempts, id, failed, first, excused + 1)
    end
    if how ~= 'unstarted' then interrupted = interrupted + 1 end
    redis.call('ZADD', retries, now, id)
  else
    redis.call('HDEL', attempts, id)
    lost[#lost + 1] = id
  end
end
-- Those runs may have had their effect already: the audit counts them as possible duplicates.
if interrupted > 0 then redis.call('HINCRBY', ledger, 'interrupted', interrupted) end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end
return { fenced, lost }
