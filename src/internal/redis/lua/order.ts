/**
 * The order of the Lua sources in the script, and which of them are made only when a program needs them. Each file sees the
 * top-level locals of the files above it, in its own family and in those around it. This file holds no Lua.
 */

/** Files, and families of files, whose functions are made by one call of `make<Name>()`. */
export interface Lazy {
  readonly name: string
  readonly items: ReadonlyArray<Item>
}

export type Item = string | Lazy

const lazy = (name: string, ...items: ReadonlyArray<Item>): Lazy => ({ name, items })

/**
 * All of the script's text runs with every call, and making a function costs time. So everything that the most frequent
 * programs do not need is lazy: the family stands at its place as `local function make<Name>()`, and its last file returns
 * what the family offers.
 */
export const order: ReadonlyArray<Item> = [
  "input.lua",
  "fast.lua",
  lazy("locks", "lock.lua"),
  "loneLock.lua",
  "call.lua",
  lazy("helpers", "helpers.lua"),
  lazy("forms", "forms.lua"),
  lazy(
    "scalars",
    lazy("doubles", "parseNumber.lua", "numberText.lua", "doubles.lua"),
    lazy("integers", "digits.lua", "int64.lua"),
    "kinds.lua",
    lazy("comparisons", "comparison.lua"),
    "scalar.lua"
  ),
  lazy("fields", "runFields.lua"),
  lazy("dedup", "dedup.lua"),
  lazy(
    "general",
    "program.lua",
    "journal.lua",
    "entity.lua",
    lazy("drops", "formDrops.lua"),
    lazy("appends", "append.lua"),
    lazy("expiries", "expiry.lua"),
    lazy(
      "collections",
      "collectionState.lua",
      lazy("lists", "list.lua"),
      lazy("named", "edit.lua", "set.lua", "map.lua", "sortedSet.lua", "named.lua"),
      "collection.lua"
    ),
    lazy("writes", "entityWrites.lua"),
    lazy(
      "indexes",
      lazy("orderCodes", "parseNumber.lua", "orderCode.lua"),
      lazy("memberIds", "memberId.lua"),
      lazy("aggregates", "aggregates.lua"),
      "indexes.lua",
      lazy("indexReads", "indexReads.lua"),
      "indexFamily.lua"
    ),
    "instruction.lua",
    "commit.lua",
    lazy("flow", lazy("operands", "operand.lua"), "flow.lua"),
    "runGeneral.lua"
  ),
  "run.lua"
]
