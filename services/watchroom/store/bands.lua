-- Writes the bands of one closed month, unless the hashes that they were made from have changed since.
--
-- KEYS[1]  meta           KEYS[2]  token-versions           KEYS[3]  bands
-- ARGV[1]  msgpack map: stream, fingerprint, field, text, versions {name, version, name, version, ...}
-- Returns  1 written | 0 something has changed, a rebuild clears the keys, or the stream has another definition

local given = cmsgpack.unpack(ARGV[1])
local bound = redis.call('HMGET', KEYS[1], 'fingerprint:' .. given.stream, 'clearing')
if bound[2] or bound[1] ~= given.fingerprint then return 0 end
for i = 1, #given.versions, 2 do
  if (redis.call('HGET', KEYS[2], given.versions[i]) or '') ~= given.versions[i + 1] then return 0 end
end
redis.call('HSET', KEYS[3], given.field, given.text)
return 1
