-- Removes a consumer from its group, but only when it owns nothing: XGROUP DELCONSUMER forgets what was pending.
--
-- KEYS  stream
-- ARGV  group, consumer
-- Returns how many entries it still owns; 0 means that it is gone.
--
-- Atomic because an entry delivered between looking and deleting would be lost.
local owned = #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000000, ARGV[2])
if owned == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return owned
