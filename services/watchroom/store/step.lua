-- One atomic step: compare the partition's offset, then write everything that a batch changed.
--
-- KEYS[1]  partition:<topic>:<n>      (every other key shares its hash tag and is made from the prefix)
-- ARGV[1]  key prefix, "{force}:"
-- ARGV[2]  msgpack map, see watchroom/store/step.py
-- Returns  {1, new offset} applied | {0, stored offset or ""} Redis has another offset |
--          {2, fingerprint} the stream has another definition | {2, ""} a rebuild is clearing the keys
--
-- Redis does not undo a script that fails half-way. So everything is decoded and checked before the first write, rights
-- too (`refused` is in rights.lua).

local prefix = ARGV[1]
local step = cmsgpack.unpack(ARGV[2])
local meta = prefix .. 'meta'

local bound = redis.call('HMGET', meta, 'fingerprint:' .. step.stream, 'clearing')
local stored = redis.call('HGET', KEYS[1], 'next_offset') or ''
if bound[2] then return {2, ''} end
if not bound[1] then return {0, stored} end
if bound[1] ~= step.fingerprint then return {2, bound[1]} end
if stored ~= step.base then return {0, stored} end

local function must(kind, key)
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then
    error('key ' .. key .. ' is a ' .. found .. ', not a ' .. kind .. '; nothing was written')
  end
end

-- Lua's numbers are doubles: beyond 2^53 they skip whole numbers.
local function whole(value)
  if type(value) ~= 'number' or value % 1 ~= 0 or math.abs(value) >= 9007199254740992 then
    error('a delta is ' .. tostring(value) .. ', not a whole number; nothing was written')
  end
end

must('hash', KEYS[1])
must('hash', meta)
must('zset', prefix .. 'changed')
must('zset', prefix .. 'open-until')
for name in pairs(step.counts) do must('hash', prefix .. name) end
must('hash', prefix .. 'sources:' .. step.topic)
for _, bucket in ipairs(step.buckets) do
  must('hash', prefix .. bucket[1])
  for i = 1, #bucket[3], 2 do whole(bucket[3][i + 1]) end -- also where the last one is missing
end
must('set', prefix .. 'tokens-ended')
must('zset', prefix .. 'token-ends')
must('hash', prefix .. 'token-versions')
must('hash', prefix .. 'not-restated')
for _, changed in ipairs(step.tokens) do
  must('hash', prefix .. 'tokens:' .. changed[1])
  for i = 1, #changed[4], 2 do whole(changed[4][i + 1]) end
end
for _, member in ipairs(step.opened) do must('zset', prefix .. 'open:' .. member[1]) end
for _, member in ipairs(step.left) do must('zset', prefix .. 'open:' .. member[1]) end
for _, entry in ipairs(step.restatements) do must('list', prefix .. 'restatements:' .. entry[1]) end

local missing = refused({
  {'SET', prefix .. 'state:' .. step.topic .. ':', '', 'PX', '1'},
  {'HINCRBY', meta, 'seq', '1'},
  {'PEXPIRE', prefix .. '10s:0', '1'},
  {'ZADD', prefix .. 'changed', '1', ''},
  {'ZREMRANGEBYSCORE', prefix .. 'changed', '0', '1'},
  {'SISMEMBER', prefix .. 'tokens-ended', ''},
  {'HDEL', prefix .. 'token-versions', ''},
  {'ZRANGEBYSCORE', prefix .. 'token-ends', '0', '1'},
  {'UNLINK', prefix .. 'tokens:'},
  {'SADD', prefix .. 'tokens-ended', ''},
  {'ZREM', prefix .. 'open:', ''},
  {'RPUSH', prefix .. 'restatements:', ''},
  {'HGET', prefix .. 'sources:' .. step.topic, ''},
  {'HSET', KEYS[1], 'next_offset', ''},
})
if missing then return missing end

-- From here on everything is written.
for i = 1, #step.states, 2 do
  redis.call('SET', prefix .. 'state:' .. step.topic .. ':' .. step.states[i], step.states[i + 1], 'PX', step.state_ms)
end

if #step.buckets > 0 then
  local seq = redis.call('HINCRBY', meta, 'seq', 1)
  for _, bucket in ipairs(step.buckets) do
    local key, deltas = prefix .. bucket[1], bucket[3]
    for i = 1, #deltas, 2 do redis.call('HINCRBY', key, deltas[i], deltas[i + 1]) end
    if bucket[2] > 0 then redis.call('PEXPIRE', key, bucket[2]) end
    redis.call('ZADD', prefix .. 'changed', seq, bucket[1])
  end
  redis.call('ZREMRANGEBYSCORE', prefix .. 'changed', '-inf', seq - step.changes_kept)
end

-- Hashes of token counts. A hash that was ended stays ended: written again, it would hold a part of its counts.
for _, changed in ipairs(step.tokens) do
  local name, ends, deltas = changed[1], changed[2], changed[4]
  if redis.call('SISMEMBER', prefix .. 'tokens-ended', name) == 1 then
    redis.call('HINCRBY', prefix .. 'not-restated', name, changed[3])
  else
    local key = prefix .. 'tokens:' .. name
    for i = 1, #deltas, 2 do
      if redis.call('HINCRBY', key, deltas[i], deltas[i + 1]) == 0 then redis.call('HDEL', key, deltas[i]) end
    end
    ends = math.max(ends, step.now_ms + step.tokens_unchanged_ms)
    redis.call('ZADD', prefix .. 'token-ends', ends, name)
    redis.call('HINCRBY', prefix .. 'token-versions', name, 1)
  end
end
-- Some at a time.
for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'token-ends', '-inf', step.now_ms, 'LIMIT', 0, 20)) do
  redis.call('UNLINK', prefix .. 'tokens:' .. name)
  redis.call('SADD', prefix .. 'tokens-ended', name)
  redis.call('ZREM', prefix .. 'token-ends', name)
  redis.call('HDEL', prefix .. 'token-versions', name)
end

for _, member in ipairs(step.left) do
  redis.call('ZREM', prefix .. 'open:' .. member[1], member[2])
  redis.call('ZREM', prefix .. 'open-until', step.topic .. ' ' .. member[1] .. ' ' .. member[2])
end
for _, member in ipairs(step.opened) do
  redis.call('ZADD', prefix .. 'open:' .. member[1], member[3], member[2])
  redis.call('ZADD', prefix .. 'open-until', step.now_ms + step.keeping_ms,
    step.topic .. ' ' .. member[1] .. ' ' .. member[2])
end
-- States whose keeping has passed take their open sets with them; some at a time.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'open-until', '-inf', step.now_ms, 'LIMIT', 0, 500)) do
  local series, subject = string.match(member, '^%S+ (%S+) (.*)$')
  redis.call('ZREM', prefix .. 'open:' .. series, subject)
  redis.call('ZREM', prefix .. 'open-until', member)
end

for _, entry in ipairs(step.restatements) do
  redis.call('RPUSH', prefix .. 'restatements:' .. entry[1], entry[2])
end
for field, at_ms in pairs(step.last_seen) do
  local known = tonumber(redis.call('HGET', prefix .. 'sources:' .. step.topic, field) or '0')
  if at_ms > known then redis.call('HSET', prefix .. 'sources:' .. step.topic, field, at_ms) end
end
for name, counts in pairs(step.counts) do
  for what, count in pairs(counts) do redis.call('HINCRBY', prefix .. name, step.topic .. '|' .. what, count) end
end

if step.lost > 0 then redis.call('HINCRBY', KEYS[1], 'lost', step.lost) end
if step.fresh_ms > tonumber(redis.call('HGET', KEYS[1], 'fresh_ms') or '0') then
  redis.call('HSET', KEYS[1], 'fresh_ms', step.fresh_ms)
end
redis.call('HSET', KEYS[1], 'next_offset', step.next_offset)
return {1, step.next_offset}
