-- What is known of a tracked task, all at one moment.
--
-- KEYS  hash of the tracked task, stream, due times of its schedule, dead-letter stream
-- ARGV  task id, parked consumer, most groups to look at
-- Returns nothing when the task is not tracked, else
--   { what its hash says: name, value ...; 1 while it waits in the schedule, else 0; 1 while its entry is in the stream,
--     else 0; groups of the stream; dead letters that are there still }
--   group = { name, id delivered last, consumer it is pending for or '', its line in the hash `attempts` or '',
--             Unix milliseconds its next attempt is due at or '' }
--   letter = { group, error name, error message }
--
-- Atomic because a task goes on while one looks: between two looks it would be in none of the places.
local tracked, stream, due_times, dead_letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local task_id, parked, most_groups = ARGV[1], ARGV[2], tonumber(ARGV[3])

local said = redis.pcall('HGETALL', tracked)
if said.err or #said == 0 then return nil end

local entry
local letters = {}
for i = 1, #said, 2 do
  if said[i] == 'entry' then entry = said[i + 1] end
  local group, letter_id = string.match(said[i], '^group:(.*)$'), string.match(said[i + 1], '^dead %d+ (%S+)')
  local letter = group and letter_id and redis.call('XRANGE', dead_letters, letter_id, letter_id)[1]
  if letter then
    local found = { group, '', '' }
    -- What consumers added comes last; a field of the task may have the same name.
    for f = 1, #letter[2] - 1, 2 do
      if letter[2][f] == 'error_name' then found[2] = letter[2][f + 1] end
      if letter[2][f] == 'error_message' then found[3] = letter[2][f + 1] end
    end
    letters[#letters + 1] = found
  end
end

local scheduled, in_stream, groups = 0, 0, {}
if entry then
  if #redis.call('XRANGE', stream, entry, entry) == 1 then in_stream = 1 end
  local infos = redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'GROUPS', stream) or {}
  for g = 1, math.min(#infos, most_groups) do
    local facts = {}
    for i = 1, #infos[g], 2 do facts[infos[g][i]] = infos[g][i + 1] end
    local group = { facts.name, facts['last-delivered-id'], '', '', '' }
    local pending = redis.call('XPENDING', stream, facts.name, entry, entry, 1)[1]
    if pending then
      group[3] = pending[2]
      -- By the names that contract/src/keys.ts gives them.
      group[4] = redis.call('HGET', stream .. ':attempts:' .. facts.name, entry) or ''
      if pending[2] == parked then group[5] = redis.call('ZSCORE', stream .. ':retries:' .. facts.name, entry) or '' end
    end
    groups[#groups + 1] = group
  end
elseif redis.call('ZSCORE', due_times, task_id) then
  scheduled = 1
end
return { said, scheduled, in_stream, groups, letters }
