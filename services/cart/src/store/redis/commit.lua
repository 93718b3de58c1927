-- Checks, then commands, all of them or none: nothing comes in between, and a store that is full refuses before the first.
-- ARGV: the number of checks, then key, field and expected value of each (no field: a plain value; an expected '' is
-- "absent"); then commands, each as the number of its words and the words.
local at = 0
local function word()
  at = at + 1
  return ARGV[at]
end

for _ = 1, tonumber(word()) do
  local key, field, expected = word(), word(), word()
  local value
  if field == '' then
    value = redis.call('GET', key)
  else
    value = redis.call('HGET', key, field)
  end
  if (value or '') ~= expected then
    return 0
  end
end

while at < #ARGV do
  local words = {}
  for place = 1, tonumber(word()) do
    words[place] = word()
  end
  redis.call(unpack(words))
end
return 1
