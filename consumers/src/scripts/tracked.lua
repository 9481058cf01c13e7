-- Prelude of the scripts that say of a tracked task where it is, or what a group has made of it.
--
-- Only while its hash is there, since the time for which it is kept may be over; and only if that names the entry which
-- is spoken of, since a dead task that was sent back has a new one. A key of another type is none of ours.

-- As contract/src/keys.ts names it.
local function tracked_key(stream, task_id)
  return 'task:{' .. stream .. '}:' .. task_id
end

-- The id of the task with these fields, name, value ..., if it is tracked.
local function tracked_id(fields)
  local task_id, tracked
  for i = 1, #fields - 1, 2 do
    if fields[i] == 'task_id' then task_id = fields[i + 1] end
    if fields[i] == 'tracked' then tracked = true end
  end
  return tracked and task_id
end

local function note_end(stream, task_id, entry, group, what)
  local key = tracked_key(stream, task_id)
  if redis.pcall('HGET', key, 'entry') == entry then redis.call('HSET', key, 'group:' .. group, what) end
end

local function note_entry(stream, task_id, entry)
  local key = tracked_key(stream, task_id)
  if redis.pcall('HEXISTS', key, 'due') == 1 then redis.call('HSET', key, 'entry', entry) end
end
