-- The shortest way: programs of one operation on one field, reads of one entity, and increments of several entities, one each, from
-- the first program of the batch on, until anything is unusual. run.lua does the rest of the batch, and begins with the unusual program, of which nothing is written yet.
-- No function is made here, because that costs more than a command, and most calls need no more than this.
--
-- Unusual is what needs a second look: an absent entity, a missing field, a text that is no integer of less than 16 digits, a bound
-- that is not kept, a version that is no number, a time to live to be renewed, another type of key.
-- uses: call, code, find, format, input, ordinal, pc, reply, replySize, specs, total, try (input)
do
  -- Increments of one field by one amount may begin with a line of their own, so that nothing else need be decoded.
  local amount, low, high, repeats, home, behind, score, field, rest =
    string.match(input, "^%+(%S+) (%S*) (%S*) (%d*) (%a?)(%d*):?(%S*) ([^\n]*)\n()")
  local isLine, index, stride, left, spec, op, at, after = amount ~= nil, 1, 1, #KEYS, nil, OP.increment, 1, 0
  local count = 1 -- of the program's operations
  local fields, amounts, indices, lows, highs -- by operation, if there are several
  local isOneHome, entries, first, last -- of the index whose score is the field: its key, and where the id is in an entity's key
  if isLine then
    low, high = tonumber(low), tonumber(high)
    if score == "" then score = nil else isOneHome, left = home == "o", left - behind end
    if repeats ~= "" then stride, left = 0, tonumber(repeats) end
  else
    input = cjson.decode(input)
    specs, code = input[1], input[2]
    total = #code
  end
  while isLine or pc <= total do
    if not isLine then
      at, left, stride = pc, 1, 0
      if code[pc] == -3 and code[pc + 3] == 0 then at, left, stride = pc + 4, code[pc + 1], code[pc + 2] end
      count = code[at]
      if count < 0 or count == 0 and left > 1 then break end
      if count == 0 then
        op, left, after = nil, 0, at + 1
        ordinal, replySize = ordinal + 1, replySize + 1
        reply[replySize] = true
      elseif count > 1 then
        local isUsual = count <= 8
        fields, amounts, indices, lows, highs, after = {}, {}, {}, {}, {}, at + 1 + 5 * count
        for i = 1, isUsual and count or 0 do
          local place = at + 5 * i - 4
          spec, amount, index = specs[code[place + 2]], code[place + 4], code[place + 1]
          if code[place] ~= OP.increment or code[place + 3] ~= 1 or spec.k ~= "i" or spec.life or spec.ix or spec.of or spec.gt or spec.lt
            or not (amount < 1e15 and amount > -1e15) then
            isUsual = false
            break
          end
          for j = 1, i - 1 do isUsual = isUsual and indices[j] ~= index end
          fields[i], amounts[i], indices[i], lows[i], highs[i] = spec.f, amount, index, spec.ge or -1e300, spec.le or 1e300
        end
        if not isUsual then break end
      else
        op, index, spec, after = code[at + 1], code[at + 2], specs[code[at + 3]], at + 5 + code[at + 4]
        field, amount, score = spec.f, code[at + 5], spec.sc
        if score then isOneHome, entries, home = spec.ix.one, nil, nil end
        if op == OP.increment then
          if code[at + 4] ~= 1 or spec.k ~= "i" or spec.life or spec.ix and not score or spec.of or not (amount < 1e15 and amount > -1e15) then break end
          low, high = spec.ge, spec.le
          if spec.gt then low = math.max(low or spec.gt, math.floor(spec.gt) + 1) end
          if spec.lt then high = math.min(high or spec.lt, math.ceil(spec.lt) - 1) end
        elseif op == OP.read or op == OP.find then
          if #spec.cs > 0 or spec.life and spec.life.access then break end
        elseif op ~= OP.get and op ~= OP.set or spec.of or op == OP.set and spec.ix or spec.life and (op == OP.set or spec.life.access) then
          break
        end
      end
    end
    local before = left
    if count > 1 then
      local keys, olds, distance = {}, {}, 0
      while left > 0 do
        local i = 1
        while i <= count do
          local key = KEYS[indices[i] + distance]
          local text = try("HGET", key, fields[i])
          if not text or #text > 15 or text.err or not find(text, "^%-?%d+$") then break end
          local sum = text + amounts[i]
          if sum < lows[i] or sum > highs[i] then break end
          keys[i], olds[i], reply[replySize + 1 + i] = key, text, format("%d", sum)
          i = i + 1
        end
        local isWritten = i > count
        i = isWritten and 0 or i
        while isWritten and i < count do
          i = i + 1
          local key = keys[i]
          isWritten = try("HSET", key, fields[i], reply[replySize + 1 + i]) == 0
          if isWritten and type(try("HINCRBY", key, "$v", "1")) == "table" then
            try("HSET", key, fields[i], olds[i])
            isWritten = false
          end
          for j = i - 1, isWritten and i or 1, -1 do
            key = keys[j]
            try("HSET", key, fields[j], olds[j])
            if try("HINCRBY", key, "$v", "-1") == 0 and try("HLEN", key) > 1 then try("HDEL", key, "$v") end
          end
        end
        if not isWritten then
          for j = 1, count do reply[replySize + 1 + j] = nil end
          break
        end
        reply[replySize + 1] = true
        replySize, distance, left = replySize + 1 + count, distance + stride, left - 1
      end
      if left > 0 then
        for i = 1, count do code[at + 5 * i - 3] = indices[i] + distance end
        index = code[at + 2]
      end
    elseif op == OP.increment then
      local size, step = replySize + 1, isLine and 1 or 2
      low, high = low or -9007199254740991, high or 9007199254740991
      -- the same entity again and again is read once and written once
      local each = stride == 0 and left or 1
      while left > 0 do
        local key = KEYS[index]
        local text = try("HGET", key, field)
        if not text or #text > 15 or text.err or not find(text, "^%-?%d+$") then break end
        local sum, done, new = text + amount, 0, nil
        while done < each and sum >= low and sum <= high do
          new = format("%d", sum)
          if step == 2 then reply[size], reply[size + 1] = true, new else reply[size] = new end
          size, done, sum = size + step, done + 1, sum + amount
        end
        if done == 0 then break end
        local isWritten = try("HSET", key, field, new) == 0
        if isWritten and type(try("HINCRBY", key, "$v", done == 1 and "1" or format("%d", done))) == "table" then
          call("HSET", key, field, text)
          isWritten = false
        end
        if isWritten and score then
          if not isOneHome then
            local close = find(key, "}", 1, true)
            if string.sub(key, 1, close) ~= home then
              home = string.sub(key, 1, close)
              entries, first, last = home .. ":$ix:" .. score, close + 2, -1
            end
          elseif not entries then
            first, last = find(key, "{", 1, true) + 1, -2
            entries = string.sub(key, 1, first - 1) .. "$}:$ix:" .. score
          end
          if type(try("ZADD", entries, new, string.sub(key, first, last))) == "table" then
            call("HSET", key, field, text)
            if call("HINCRBY", key, "$v", format("%d", -done)) == 0 then call("HDEL", key, "$v") end
            isWritten = false
          end
        end
        if not isWritten then
          size = size - done * step
          break
        end
        index, left = index + stride, left - done
      end
      for i = size, replySize + before * step do reply[i] = nil end
      replySize = size - 1
    elseif op == OP.get or op == OP.set then
      local value = code[at + 5]
      while left > 0 do
        local key = KEYS[index]
        local text = try("HGET", key, field)
        if not text or text.err then break end
        if op == OP.set then
          if type(try("HINCRBY", key, "$v", "1")) == "table" then break end
          call("HSET", key, field, value)
          text = true -- instead of 1, because a number costs more to encode
        end
        reply[replySize + 1], reply[replySize + 2] = true, text
        replySize, index, left = replySize + 2, index + stride, left - 1
      end
    elseif op then
      local fields = spec.fs
      while left > 0 do
        local row = try("HMGET", KEYS[index], "$v", unpack(fields))
        local isWhole = not row.err
        for i = 1, #fields + 1 do isWhole = isWhole and row[i] end
        if not isWhole then break end
        reply[replySize + 1], reply[replySize + 2] = true, row
        replySize, index, left = replySize + 2, index + stride, left - 1
      end
    end
    ordinal = ordinal + before - left
    if left == 0 then
      if isLine then return replySize == 1 and reply[1] or table.concat(reply, ",") end
      pc = after
    else
      if isLine then
        input = cjson.decode(string.sub(input, rest))
        specs, code = input[1], input[2]
        total, at = #code, code[1] == -3 and 5 or 1
        local texts = reply
        reply = {}
        for i = 1, replySize do reply[2 * i - 1], reply[2 * i] = true, texts[i] end
        replySize = 2 * replySize
      end
      -- the programs before it are no longer part of the run
      if at > pc then code[pc + 1], code[at + 2] = left, index end
      break
    end
  end
  if code and pc > total then return cjson.encode(reply) end
end
