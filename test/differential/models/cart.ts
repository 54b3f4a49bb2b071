/**
 * Plain objects, a tuple as the key, the slot of one component; checks that the server can't evaluate; each write lets it
 * live on.
 */
import { Schema } from "effect"
import { Model } from "redlayer"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase, refusing } from "../modelDescription.ts"
import type { Gen } from "../random.ts"
import { absent, boolean, build, float, foreign, integer, listOf, oneOf, patchOf, tame, texts } from "../storedTexts.ts"

const Line = Schema.Tuple([Schema.String, Schema.Int])

const lives = 10 * 86_400_000

const Cart = Model.make("Cart: {a}", {
  user: Schema.String,
  number: Schema.Int,
  code: Schema.String.check(Schema.isPattern(/^[a-z]*$/)),
  price: Schema.Number.check(Schema.isGreaterThan(0), Schema.isLessThan(100)),
  quantity: Schema.Int.check(
    Schema.isBetween({ minimum: 0, maximum: 30, exclusiveMinimum: true, exclusiveMaximum: true })
  ),
  even: Schema.Int.check(Schema.makeFilter((n) => n % 2 === 0)),
  state: Schema.optionalKey(Schema.Literals(["open", "paid"])),
  lines: Schema.Array(Line).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  flags: Schema.Array(Schema.Boolean),
  once: Schema.Array(Schema.Number).check(Schema.isUnique())
}, { key: ["user", "number"], slot: "user", timeToLive: { duration: lives } })

const line: Gen<readonly [string, number]> = (random) =>
  random.wild() ? foreign(random) : [random.pick(tame), random.int(0, 3)]
const code = oneOf("", "abc", "zz", "A", "a1")
const even = oneOf(0, 2, -4, 8, 3)
const unique: Gen<ReadonlyArray<number>> = (random) =>
  random.wild() ? [1, 1] : random.pick([[], [1], [0.5, 2], [3, 2, 1]])

const cartFields = {
  code: oneOf("", "abc", "zz"),
  price: float(0, 100),
  quantity: integer(1, 29),
  even: oneOf(0, 2, -4, 8),
  state: absent(oneOf("open", "paid")),
  lines: listOf(line, 1, 4),
  flags: listOf(boolean),
  once: unique
}

const cart = fieldsOf<Model.Ref<typeof Cart>>()

export const cartCase: ModelCase = {
  name: "Cart",
  model: Cart as Model.Any,
  ids: (world) => [
    [[`w${world}`, 1], `Cart%3A%20%7Ba%7D:{w${world}}:1`],
    [[`w${world}:%`, -2], `Cart%3A%20%7Ba%7D:{w${world}%3A%25}:-2`]
  ],
  entity: (random, id) => ({
    user: (id as [string, number])[0],
    number: (id as [string, number])[1],
    ...build(cartFields)(random)
  }),
  patch: patchOf(cartFields),
  lives,
  fields: [
    refusing(cart.scalar("code", "text", (ref) => ref.code, Op.text(code), texts.word("", "abc", "zz", "A", "a1"))),
    cart.scalar(
      "price",
      "number",
      (ref) => ref.price,
      Op.number(float(0, 100), false),
      texts.number(0, 100)
    ),
    cart.scalar(
      "quantity",
      "integer",
      (ref) => ref.quantity,
      Op.number(integer(1, 29), true),
      texts.integer(1, 29)
    ),
    refusing(cart.scalar(
      "even",
      "integer",
      (ref) => ref.even,
      Op.number(even, true),
      texts.integer(0, 8)
    )),
    cart.scalar(
      "state",
      "optional",
      (ref) => ref.state,
      Op.optional(oneOf<"open" | "paid">("open", "paid")),
      texts.word("open", "paid")
    ),
    cart.list(
      "lines",
      "json",
      (ref) => ref.lines,
      Collection.list(line, listOf(line, 1, 4)),
      Op.value(line),
      texts.json("[\"a\",1]", "[ \"b\", 2 ]")
    ),
    cart.list(
      "flags",
      "boolean",
      (ref) => ref.flags,
      Collection.list(boolean, listOf(boolean)),
      Op.bool,
      texts.boolean
    ),
    refusing(cart.list(
      "once",
      "number",
      (ref) => ref.once,
      Collection.list(float(-5, 5), unique),
      Op.number(float(-5, 5), false),
      texts.number(-5, 5)
    ))
  ]
}
