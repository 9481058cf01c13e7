-- Acknowledges tasks whose handler has resolved.
--
-- KEYS  stream, attempts, ledger
-- ARGV  group, consumer, lowest id, highest id, how many of the entries are of tracked tasks, id and task id of each
--       of those, then the ids of all entries
-- Returns the ids that were not pending for this consumer; nothing was done to them.
--
-- Atomic because acknowledging, deleting and counting must agree: a crash in between would leave an entry
-- that is neither backlog nor done, and the ledger would no longer add up. A status that said done before would lie.
local stream, attempts, ledger = KEYS[1], KEYS[2], KEYS[3]
local group = ARGV[1]
local owned = owned_by(stream, group, ARGV[2], ARGV[3], ARGV[4])

local mine, fenced = {}, {}
local first_id = 6 + 2 * tonumber(ARGV[5])
for i = first_id, #ARGV do
  local id = ARGV[i]
  if owned[id] then mine[#mine + 1] = id else fenced[#fenced + 1] = id end
end
if #mine > 0 then
  local acknowledged = redis.call('XACK', stream, group, unpack(mine))
  -- Other groups may not have seen the entries yet; then the engine's trimmer removes them later.
  if #redis.call('XINFO', 'GROUPS', stream) == 1 then redis.call('XDEL', stream, unpack(mine)) end
  if redis.call('EXISTS', attempts) == 1 then redis.call('HDEL', attempts, unpack(mine)) end
  redis.call('HINCRBY', ledger, 'done', acknowledged)
  if first_id > 6 then
    local what = string.format('done %.0f', now_ms())
    for i = 6, first_id - 1, 2 do
      if owned[ARGV[i]] then note_end(stream, ARGV[i + 1], ARGV[i], group, what) end
    end
  end
end
return fenced
