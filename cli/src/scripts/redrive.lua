-- Sends one dead letter back to the stream it came from.
--
-- KEYS  dead-letter stream, source stream, ledger of the letter's group on that stream
-- ARGV  id of the letter, its group, what other groups are to see of it (nothing or all),
--       1 when the payload is to be replaced, else 0, the new payload
-- Returns { 'redriven', id in the source stream }
--         { 'gone' }              somebody else has redriven or purged it
--         { 'behind', group ... } other groups that have not read all of the stream yet; nothing was done
--
-- Atomic because the task must be in exactly one of the two streams, whenever the client dies or Redis is killed,
-- and counted in the same step. The append comes first: should Redis refuse it, nothing was done.
--
-- The fields of the task go back as they were, its task_id too; `redrives` counts how often it was sent back.
--
-- A stream shows every entry to every group, and a task that died in one group may be done in the others. So that
-- those do not run it again, they are moved past the new entry in the same step, which is right only when they have
-- nothing else left to read; otherwise they would skip that as well.
--
-- Where the status of the task is kept, it is that of the new entry from here on, for as long as at the beginning.
local dead_letters, stream, ledger = KEYS[1], KEYS[2], KEYS[3]
local id, group, others_see = ARGV[1], ARGV[2], ARGV[3]

local function facts_of(reply)
  local facts = {}
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
  return facts
end

local letter = redis.call('XRANGE', dead_letters, id, id)[1]
if not letter then return { 'gone' } end
redis.call('HGET', ledger, 'redriven') -- a ledger that is no hash must stop us before anything is written

local others = {}
if others_see == 'nothing' and redis.call('EXISTS', stream) == 1 then
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local behind = { 'behind' }
  for _, reply in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local other = facts_of(reply)
    if other.name ~= group then
      others[#others + 1] = other.name
      if newest and #redis.call('XRANGE', stream, '(' .. other['last-delivered-id'], '+', 'COUNT', 1) > 0 then
        behind[#behind + 1] = other.name
      end
    end
  end
  if #behind > 1 then return behind end
end

-- What consumers added when the task died begins with the last field of this name.
local fields = letter[2]
local task_length = #fields
for i = #fields - 1, 1, -2 do
  if fields[i] == 'reason' then
    task_length = i - 1
    break
  end
end
local task, redrives, has_payload, task_id, tracked_ms = {}, 0, false, nil, nil
for i = 1, task_length, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'redrives' then
    redrives = tonumber(value) or 0
  else
    if name == 'task_id' then task_id = value end
    if name == 'tracked' then tracked_ms = tonumber(value) end
    if name == 'payload' and ARGV[4] == '1' then
      value = ARGV[5]
      has_payload = true
    end
    task[#task + 1] = name
    task[#task + 1] = value
  end
end
if ARGV[4] == '1' and not has_payload then
  task[#task + 1] = 'payload'
  task[#task + 1] = ARGV[5]
end
task[#task + 1] = 'redrives'
task[#task + 1] = string.format('%d', redrives + 1)

local new_id = redis.call('XADD', stream, '*', unpack(task))
redis.call('XDEL', dead_letters, id)
redis.call('HINCRBY', ledger, 'redriven', 1)
if #others > 0 then
  local appended = facts_of(redis.call('XINFO', 'STREAM', stream))['entries-added']
  for _, other in ipairs(others) do
    redis.call('XGROUP', 'SETID', stream, other, new_id, 'ENTRIESREAD', appended)
    -- The ledger of another group on the same stream, by the name that contract/src/keys.ts gives it.
    redis.call('HINCRBY', stream .. ':ledger:' .. other, 'skipped', 1)
  end
end
if task_id and tracked_ms then
  -- By the name that contract/src/keys.ts gives it. A key of another type is none of ours.
  local key = 'task:{' .. stream .. '}:' .. task_id
  if type(redis.pcall('HSET', key, 'entry', new_id)) == 'number' then
    for _, field in ipairs(redis.call('HKEYS', key)) do
      local its_group = string.match(field, '^group:(.*)$')
      if its_group == group or (its_group and others_see == 'all') then redis.call('HDEL', key, field) end
    end
    redis.call('PEXPIRE', key, tracked_ms)
  end
end
return { 'redriven', new_id }
