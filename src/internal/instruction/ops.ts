/**
 * The table of instructions: the one vocabulary between the front half, which builds programs, and the interpreters, which
 * run them. Each instruction is one row; both halves, the Lua script included, read its properties here.
 *
 * May import: text, the errors.
 * Must not know: schemas, nodes, Redis commands, how an interpreter works.
 * Invariant: a code means the same in every interpreter, and no other place lists what an instruction is.
 */

/**
 * The access to data that a program needs. `read` writes nothing. `allowOom` only frees memory or renews an expiry, so a
 * server that is out of memory accepts it. `write` is everything else.
 */
export type Access = "read" | "allowOom" | "write"

export type Family =
  | "flow"
  | "scalar"
  | "collection"
  | "list"
  | "named"
  | "set"
  | "map"
  | "sortedSet"
  | "entity"
  | "message"
  | "index"
  | "lock"

export interface OpInfo extends Flags {
  /** The number on the wire. A family is a range of numbers, so an interpreter finds the family by comparison. */
  readonly code: number
  readonly family: Family
  readonly access: Access
  /** The arguments, in order. An argument with `…` may repeat. */
  readonly args: string
  /** The result. An instruction that a jump skips has the result `false`. */
  readonly result: string
}

interface Flags {
  /** The method that users call, if its name differs from the row's. */
  readonly method?: string
  /** A test: its result, 0 or 1, sets the flag that jumps read. */
  readonly isTest?: true
  /** Puts a value into the operand queue, for an argument of a later instruction. */
  readonly putsOperand?: true
  /** Reads a whole entity, so a stored text that cannot be read is `EntityCorrupted` instead of `WrongType`. */
  readonly readsEntity?: true
  /** Reads a set of a second entity, which its first two arguments on the wire are. */
  readonly readsSecondSet?: true
  /** How many of its arguments must be whole numbers on an integer field. */
  readonly wholeAmounts?: number
  /** `clear` of a nullable field stores the text `null`, which needs memory. */
  readonly writesNull?: true
  /** A repetition changes nothing, although the instruction writes. */
  readonly isRepeatable?: true
  /** Its first argument is the channel that its owner listens on, and it uses the lock's queue and fence keys. */
  readonly usesQueue?: true
  /**
   * The results that mean that it wrote. `always`: every result. `created`: 1. `withArguments`: every result but `false`, if
   * it has arguments. Default: every result but `false` and 0.
   */
  readonly wrote?: "always" | "created" | "withArguments"
}

const op = <const Code extends number>(
  code: Code,
  family: Family,
  access: Access,
  args: string,
  result: string,
  flags?: Flags
): OpInfo & { readonly code: Code } => ({ code, family, access, args, result, ...flags })

/** Each row: number, family, access, arguments, result, flags. */
export const ops = {
  // flow: tests set a flag; jumps read it, and skip a number of instructions
  fail: op(0, "flow", "read", "index, how many results before it are observed", "stops"),
  not: op(1, "flow", "read", "", "the flag, inverted"),
  flag: op(2, "flow", "read", "", "the flag"),
  jump: op(3, "flow", "read", "distance", "1"),
  jumpIf: op(4, "flow", "read", "distance", "1 if it jumped, else 0"),
  jumpUnless: op(5, "flow", "read", "distance", "1 if it jumped, else 0"),
  attempt: op(6, "flow", "read", "distance, mode (0: missing, 1: any failure)", "1 if the alternative ran, else 0"),
  endAttempt: op(7, "flow", "read", "distance", "1"),
  constant: op(8, "flow", "read", "value", "1", { putsOperand: true }),
  combine: op(9, "flow", "read", "operation, exact (0 or 1)", "1; makes one operand of the last two"),
  encode: op(
    10,
    "flow",
    "read",
    "0 (a place for the operand)",
    "1; makes the last operand the text that the field of the specification stores"
  ),
  now: op(11, "flow", "read", "", "the server's time in milliseconds, which is the operand", { putsOperand: true }),
  // an exact integer is a text, and so are its default, and what it is compared with
  loadResult: op(12, "flow", "read", "distance back to a result that is a number, default?", "1", {
    method: "value",
    putsOperand: true
  }),
  compareResult: op(13, "flow", "read", "distance back to such a result, comparison, expected", "0 or 1", {
    isTest: true
  }),

  // scalars: a field of the entity's hash; or an item of a list or an entry of a map, with the position or name as an additional
  // first argument
  get: op(15, "scalar", "read", "", "text"),
  set: op(16, "scalar", "write", "text", "1"),
  clear: op(17, "scalar", "allowOom", "", "1", { writesNull: true }),
  setIfAbsent: op(18, "scalar", "write", "text", "0 or 1"),
  compareAndSet: op(19, "scalar", "write", "expected, text", "0 or 1"),
  getAndSet: op(20, "scalar", "write", "text", "the text before", { wrote: "always" }),
  appendText: op(21, "scalar", "write", "text", "length", { method: "append", wrote: "withArguments" }),
  toggle: op(22, "scalar", "write", "", "text"),
  compare: op(23, "scalar", "read", "comparison, expected", "0 or 1", { isTest: true }),
  oneOf: op(24, "scalar", "read", "values…", "0 or 1", { method: "in", isTest: true }),
  isSet: op(25, "scalar", "read", "", "0 or 1", { isTest: true }),
  load: op(26, "scalar", "read", "", "1", { method: "value", putsOperand: true }),
  assign: op(27, "scalar", "write", "operand", "1; the server checks bounds", { method: "set" }),
  increment: op(28, "scalar", "write", "amount, atLeast?, atMost?", "text", { wholeAmounts: 1 }),
  multiply: op(29, "scalar", "write", "amount, atLeast?, atMost?", "text"),
  divide: op(30, "scalar", "write", "amount, atLeast?, atMost?", "text"),
  quotient: op(31, "scalar", "write", "amount, atLeast?, atMost?", "text"),
  modulo: op(32, "scalar", "write", "amount, atLeast?, atMost?", "text"),
  min: op(33, "scalar", "write", "amount", "text", { wholeAmounts: 1 }),
  max: op(34, "scalar", "write", "amount", "text", { wholeAmounts: 1 }),
  clamp: op(35, "scalar", "write", "lowest, highest", "text", { wholeAmounts: 2 }),
  power: op(36, "scalar", "write", "exponent, atLeast?, atMost?", "text"),

  // any collection
  size: op(40, "collection", "read", "", "count"),
  values: op(41, "collection", "read", "", "row", { method: "get" }),
  clearAll: op(42, "collection", "allowOom", "", "1", { method: "clear" }),
  replace: op(43, "collection", "write", "texts…", "1", { method: "set" }),
  compareSize: op(44, "collection", "read", "comparison, expected", "0 or 1", { isTest: true }),
  loadSize: op(45, "collection", "read", "", "1", { method: "value", putsOperand: true }),

  // lists
  append: op(46, "list", "write", "keep (0: all), items…", "length"),
  prepend: op(47, "list", "write", "items…", "length"),
  pop: op(48, "list", "allowOom", "count?", "text; with a count, row of the last items, the last one first"),
  shift: op(49, "list", "allowOom", "count?", "text; with a count, row of the first items"),
  slice: op(50, "list", "read", "from, to", "row"),
  insertItems: op(51, "list", "write", "position, items…", "length", { method: "insert" }),
  removeItem: op(52, "list", "write", "item", "how many items were equal", { method: "remove" }),
  removeRange: op(53, "list", "write", "from, to", "1"),
  trim: op(54, "list", "write", "from, to", "1"),
  contains: op(55, "list", "read", "item", "0 or 1", { isTest: true }),

  // sets and sorted sets by member, maps by name
  has: op(56, "named", "read", "name", "0 or 1", { isTest: true }),
  remove: op(57, "named", "allowOom", "names…", "how many were removed"),
  popAny: op(58, "named", "allowOom", "count?", "member, or row of name and value; with a count, row of several"),

  // sets
  addMembers: op(59, "set", "write", "members…", "how many are new", { method: "add" }),
  union: op(60, "set", "read", "the other set", "row", { readsSecondSet: true }),
  intersection: op(61, "set", "read", "the other set", "row", { readsSecondSet: true }),
  difference: op(62, "set", "read", "the other set", "row", { readsSecondSet: true }),

  // maps
  putEntries: op(63, "map", "write", "name, value, …", "how many are new", { method: "put", wrote: "withArguments" }),
  popEntry: op(64, "map", "allowOom", "name", "text", { method: "pop" }),
  keys: op(65, "map", "read", "", "row"),

  // sorted sets, ascending by score and then by the bytes of the member
  addScores: op(66, "sortedSet", "write", "member, score, …", "how many are new", {
    method: "add",
    wrote: "withArguments"
  }),
  incrementScore: op(67, "sortedSet", "write", "member, amount", "score", { method: "increment" }),
  score: op(68, "sortedSet", "read", "member", "text"),
  rank: op(69, "sortedSet", "read", "member, reverse (0 or 1)", "count, or false"),
  rangeByRank: op(70, "sortedSet", "read", "from, to, reverse", "row", { method: "range" }),
  rangeByScore: op(71, "sortedSet", "read", "lowest, highest, reverse, limit (-1: all)", "row"),
  countByScore: op(72, "sortedSet", "read", "lowest, highest", "count", { method: "count" }),
  popMin: op(73, "sortedSet", "allowOom", "count?", "row of a member and its score; with a count, of several"),
  popMax: op(74, "sortedSet", "allowOom", "count?", "row of a member and its score; with a count, of several"),
  removeByRank: op(75, "sortedSet", "allowOom", "from, to, reverse", "how many were removed", {
    method: "removeRangeByRank"
  }),
  removeByScore: op(76, "sortedSet", "allowOom", "lowest, highest", "how many were removed", {
    method: "removeRangeByScore"
  }),

  // whole entities. `expiry` is the milliseconds until a new entity expires, or false. `content` is described in program.ts.
  read: op(80, "entity", "read", "", "row", { method: "get", readsEntity: true }),
  find: op(81, "entity", "read", "", "row, or false", { readsEntity: true }),
  exists: op(82, "entity", "read", "", "0 or 1", { isTest: true }),
  require: op(83, "entity", "read", "", "1"),
  insert: op(84, "entity", "write", "expiry, content…", "1"),
  put: op(85, "entity", "write", "expiry, content…", "1"),
  delete: op(86, "entity", "allowOom", "", "0 or 1"),
  getOrInsert: op(87, "entity", "write", "expiry, content…", "1 if it created, else row", {
    readsEntity: true,
    wrote: "created"
  }),
  ensure: op(88, "entity", "write", "expiry, content…", "1 if it created, else 0"),
  duplicate: op(89, "entity", "write", "the other entity, expiry", "1"),
  expire: op(90, "entity", "allowOom", "milliseconds", "1"),
  persist: op(91, "entity", "write", "", "1"),
  timeToLive: op(92, "entity", "read", "", "milliseconds, or false"),
  requireVersion: op(93, "entity", "read", "version", "1"),
  version: op(94, "entity", "read", "", "text"),
  // the entries of the entity in the indexes of its model; `member`s are entries that nothing else knows of
  reindex: op(96, "entity", "write", "index, member, …", "how many entries differed from the fields"),
  audit: op(97, "entity", "read", "", "how many entries differ from the fields"),
  atVersion: op(95, "entity", "read", "version", "0 or 1", { isTest: true }),

  // messages
  publish: op(100, "message", "allowOom", "channel, text", "1"),

  // indexes. The key is a home; `index` is the position of an index in the specification, from 1 on. `low` and `high` are bounds: see
  // indexes.ts. An entry is an id, its score or member, and with `rows` the row of the entity.
  indexRange: op(
    101,
    "index",
    "read",
    "index, low, high, reverse (0 or 1), limit, rows (0 or 1), score and id after which it begins?",
    "row of entries",
    { readsEntity: true }
  ),
  indexAround: op(102, "index", "read", "index, low, high, reverse, id, count, rows", "row of entries, or false", {
    readsEntity: true
  }),
  indexGet: op(103, "index", "read", "index, low, high", "row of the only entry; stops if there is none", {
    readsEntity: true
  }),
  indexCount: op(104, "index", "read", "index, low, high", "count"),
  indexRank: op(105, "index", "read", "index, low, high, reverse, id", "rank from 1, or false"),
  indexHolds: op(107, "index", "read", "index, low, high, id", "0 or 1: whether it has an entry", { isTest: true }),
  indexHas: op(106, "index", "read", "index, low, high", "0 or 1", { isTest: true }),

  indexAudit: op(
    108,
    "index",
    "read",
    "index (0: the expiries), from, limit",
    "row: how many entries it examined; an id and a member for each that belongs to no entity"
  ),
  indexPlan: op(
    109,
    "index",
    "write",
    "0: before the entities are indexed anew; 1: after, and the stored names of indexes that are replaced…",
    "1"
  ),
  // the sum of a group of an aggregate: `index` is its position, `group` the codes of the values that its entities share
  indexSum: op(110, "index", "read", "index, group", "the sum as a text"),
  auditSums: op(111, "index", "read", "index", "how many groups have another sum than that of what its entities add"),
  recount: op(112, "index", "write", "index", "the same; makes them equal"),

  // locks. Only `holds` may stand beside other instructions in a program.
  acquire: op(
    120,
    "lock",
    "write",
    "channel, owner, lease, weight, limit, isCluster, pause",
    "token, or milliseconds to wait, or false",
    { usesQueue: true }
  ),
  renew: op(121, "lock", "allowOom", "owner, lease", "0 or 1", { isRepeatable: true }),
  release: op(
    122,
    "lock",
    "allowOom",
    "channel, owner, weight, limit, isCluster, tombstoneMillis",
    "1 if a waiter was woken, else 0",
    {
      usesQueue: true,
      isRepeatable: true
    }
  ),
  holds: op(123, "lock", "read", "owner", "1", { method: "guard" })
}

type Ops = typeof ops

/** The numbers of the instructions, by name. */
export const Op = Object.fromEntries(Object.entries(ops).map(([name, { code }]) => [name, code])) as {
  readonly [Name in keyof Ops]: Ops[Name]["code"]
}

export type Op = typeof Op[keyof typeof Op]

/** All rows have the same properties in the same order, because the engine then reads any of them in one way. */
const alike: { readonly [Name in keyof Required<Flags>]: undefined } = {
  method: undefined,
  isTest: undefined,
  putsOperand: undefined,
  readsEntity: undefined,
  readsSecondSet: undefined,
  wholeAmounts: undefined,
  writesNull: undefined,
  isRepeatable: undefined,
  usesQueue: undefined,
  wrote: undefined
}

const byCode: Array<OpInfo & { readonly name: string }> = []
for (const [name, info] of Object.entries<OpInfo>(ops)) {
  byCode[info.code] = { ...alike, ...info, name } as OpInfo & { readonly name: string }
}

/** The row of an instruction, with its name. */
export const infoOf = (op: Op): OpInfo & { readonly name: string } => byCode[op]!

/** The method that users call for an instruction. If several methods share it, a node carries the name instead. */
export const methodOf = (op: Op): string => {
  const { method, name } = byCode[op]!
  return method ?? name
}

/** How a test compares: its first argument. */
export const Comparison = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const

/** The operation of `combine` that is not an instruction on scalars. The others have the code of their instruction. */
export const subtract = -1
