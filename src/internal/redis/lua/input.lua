-- The input of one call, and its reply.
--
-- A call carries a batch of programs: ARGV[1] = [specs, code, the greatest length of a value or nothing, the number of the database or nothing]. `code` is flat. Each program
-- is its number of instructions, then `op, key, spec, n, argument 1..n` for each instruction; `key` is a position in KEYS, `spec` one in
-- `specs`, and 0 is no key. Before the number stands a dedup header if the program runs at most once: `-1, key, token, mode,
-- milliseconds, index or digest`; or only `-2`, if the header is the one of the last such program with the next index. `-3, programs,
-- stride, arguments` begins a run of programs of one shape: the first of them follows, and then that many arguments of each other one.
--
-- The reply is one flat array: for each program true and a result for each instruction, or one array that says why the
-- program failed.
local call, try, type, tonumber, unpack, KEYS = redis.call, redis.pcall, type, tonumber, unpack, KEYS
local format, find = string.format, string.find
local input, specs, code, total = ARGV[1], nil, nil, 0
local reply, replySize = {}, 0
local ordinal = 0 -- the position of the running program in the batch
local pc = 1 -- the position in `code` of what is read next
local step = 0 -- the position of the running instruction in its program: a failure reports it
local nowMicros, nowMillis -- the server's time: unset until it is first needed, then the same for the whole call
