-- Third prelude, of the script that hands out entries: how many tasks may be started over the whole group.
--
-- The hash `rate`: slot of time -> tasks handed out in it. A task is started at once or not at all: within `grace` of
-- being handed out. So those of a slot are remembered until a window and a grace after its end, and no window, wherever
-- one puts it, holds more starts than allowed. What is handed out and not started is spent; nothing adds up.
local SLOTS = 100

-- Nothing when there is no limit.
local function rate_policy(text)
  local tasks, window, grace = string.match(text, '^(%S+) (%S+) (%S+)$')
  if not tasks then return nil end
  window = tonumber(window)
  return { tasks = tonumber(tasks), window = window, grace = tonumber(grace), width = math.ceil(window / SLOTS) }
end

-- How many tasks may be handed out now, and in how many ms there will be more.
local function tokens_left(key, rate, now)
  local kept = rate.width + rate.window + rate.grace
  local left, next_in = rate.tasks, -1
  local slots = redis.call('HGETALL', key)
  for i = 1, #slots, 2 do
    local free_in = tonumber(slots[i]) * rate.width + kept - now
    if free_in <= 0 or free_in > kept then -- the latter by another policy, or Redis' clock was set back
      redis.call('HDEL', key, slots[i])
    else
      left = left - tonumber(slots[i + 1])
      if next_in < 0 or free_in < next_in then next_in = free_in end
    end
  end
  return math.max(0, left), next_in
end

local function spend_tokens(key, rate, now, tasks)
  if tasks == 0 then return end
  redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / rate.width)), tasks)
  redis.call('PEXPIRE', key, string.format('%.0f', 2 * (rate.width + rate.window + rate.grace)))
end
