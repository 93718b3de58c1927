-- One step of a walk through all keys: removes those of a pattern that have a text in their name or their value.
-- ARGV: the cursor, 0 at first; the pattern; how many keys to look at; the text. Answers the next cursor, 0 at the end.
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
for _, key in ipairs(found[2]) do
  local value = redis.call('GET', key) or ''
  if key:find(ARGV[4], 1, true) or value:find(ARGV[4], 1, true) then
    redis.call('DEL', key)
  end
end
return found[1]
