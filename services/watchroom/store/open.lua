-- Binds Redis to a worker's definitions where it is bound to none; otherwise only tells what it is bound to.
--
-- KEYS[1]  meta
-- ARGV     fingerprint, then field, value, field, value, ...
-- Returns  the whole of meta as field, value, ...
--
-- A worker with other definitions writes nothing: what it named would stay behind and be taken for ours.

local known = redis.call('HGET', KEYS[1], 'fingerprint')
if not known or known == ARGV[1] then
  for i = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call('HSETNX', KEYS[1], 'fingerprint', ARGV[1])
end
return redis.call('HGETALL', KEYS[1])
