-- Begins each of our scripts: a missing right must be found before the first write, because Redis does not undo a
-- script that ends half-way. `calls` are commands with their arguments; their keys matter.
-- Returns an error that names the command, or nothing.
local function refused(calls)
  if not redis.acl_check_cmd then return nil end -- before Redis 7.0
  for _, call in ipairs(calls) do
    if not redis.acl_check_cmd(unpack(call)) then
      return redis.error_reply("NOPERM this user has no permissions to run the '" .. call[1] .. "' command")
    end
  end
  return nil
end

