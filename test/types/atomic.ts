/**
 * How programs compose: results, and the union of errors.
 */
import { Effect, pipe, Schema } from "effect"
import { Atomic, Model, type RedisService } from "redlayer"
import { type Equals, holds } from "./equals.ts"
import type { Arithmetic, Bounds, Corrupted, Failed, Invalid, NotFound } from "./errors.ts"

const Item = Model.make("types/Item", {
  id: Schema.String,
  name: Schema.String,
  count: Schema.Int,
  tags: Schema.Array(Schema.String)
}, { key: "id" })

const { count, name, tags } = Item.ref("1")
const read = name.get()
const add = count.increment()
const whole = Item.get("1")

holds<Equals<typeof read, Atomic.Atomic<string, NotFound | Invalid>>>()
holds<Equals<typeof add, Atomic.Atomic<number, NotFound | Invalid | Bounds | Arithmetic>>>()

// -- all -----------------------------------------------------------------------------------------------------------------

const tuple = Atomic.all([read, add, tags.pop()])
holds<Equals<Atomic.Error<typeof tuple>, NotFound | Invalid | Bounds | Arithmetic>>()
const [first, second] = [
  null! as Atomic.Success<typeof tuple>[0],
  null! as Atomic.Success<typeof tuple>[1]
]
holds<Equals<typeof first, string>>()
holds<Equals<typeof second, number>>()
holds<Equals<Atomic.Success<typeof tuple>["length"], 3>>()

const pair = Atomic.all([read, whole])
holds<Equals<Atomic.Error<typeof pair>, NotFound | Invalid | Corrupted>>()
holds<Equals<Atomic.Success<typeof pair>[1], Atomic.Success<typeof whole>>>()

declare const many: Array<typeof add>
const array = Atomic.all(many)
holds<Equals<typeof array, Atomic.Atomic<Array<number>, NotFound | Invalid | Bounds | Arithmetic>>>()
declare const readonlyMany: ReadonlyArray<typeof read>
const readonlyArray = Atomic.all(readonlyMany)
holds<Equals<Atomic.Success<typeof readonlyArray>[number], string>>()
const mapped = Atomic.all(["1", "2"].map((id) => Item.ref(id).count.increment()))
holds<Equals<typeof mapped, typeof array>>()

const record = Atomic.all({ name: read, count: add })
holds<Equals<Atomic.Success<typeof record>, { name: string; count: number }>>()
holds<Equals<Atomic.Error<typeof record>, NotFound | Invalid | Bounds | Arithmetic>>()

const each = Atomic.forEach(["a", "b"], (id) => Item.ref(id).count.get())
holds<Equals<typeof each, Atomic.Atomic<Array<number>, NotFound | Invalid>>>()
const eachPiped = pipe(new Set(["a"]), Atomic.forEach((id) => Item.ref(id).count.get()))
holds<Equals<typeof eachPiped, typeof each>>()
// @ts-expect-error: a text is a single value, though it is iterable
void Atomic.forEach("ab", (id) => Item.ref(id).count.get())

const nothing = Atomic.all([])
holds<Equals<Atomic.Error<typeof nothing>, never>>()
const noNames = Atomic.all({})
holds<Equals<Atomic.Error<typeof noNames>, never>>()
const nested = Atomic.all({ a: Atomic.all([read]), b: Atomic.all({ c: add }) })
holds<Equals<Atomic.Success<typeof nested>["b"], { c: number }>>()
const none = Atomic.all({ a: Atomic.succeed(1) })
holds<Equals<Atomic.Error<typeof none>, never>>()

// JavaScript would change the order of such names
// @ts-expect-error
void Atomic.all({ "1": read, a: add })
// @ts-expect-error
void Atomic.all({ 0: read })
// @ts-expect-error: an effect is no program
void Atomic.all([Effect.succeed(1)])
// @ts-expect-error
void Atomic.all({ a: Effect.succeed(1) })
// @ts-expect-error: `commit` gives a plain effect
void Atomic.all([Atomic.commit(read)])
// @ts-expect-error: and so does every combinator of Effect
void Atomic.all([Effect.map(read, (text) => text.length)])
// @ts-expect-error
void Atomic.all(read)

// -- map, as, andThen, succeed ---------------------------------------------------------------------------------------------

const length = Atomic.map(read, (text) => text.length)
holds<Equals<typeof length, Atomic.Atomic<number, NotFound | Invalid>>>()
const piped = read.pipe(Atomic.map((text) => [text] as const))
holds<Equals<typeof piped, Atomic.Atomic<readonly [string], NotFound | Invalid>>>()
const replaced = pipe(add, Atomic.as("done"))
holds<Equals<typeof replaced, Atomic.Atomic<string, NotFound | Invalid | Bounds | Arithmetic>>>()
const succeeded = Atomic.succeed({ a: 1 })
holds<Equals<typeof succeeded, Atomic.Atomic<{ a: number }>>>()
const then = read.pipe(Atomic.andThen(add))
holds<Equals<typeof then, Atomic.Atomic<number, NotFound | Invalid | Bounds | Arithmetic>>>()
const both = Atomic.andThen(add, whole)
holds<
  Equals<
    typeof both,
    Atomic.Atomic<Atomic.Success<typeof whole>, NotFound | Invalid | Bounds | Arithmetic | Corrupted>
  >
>()

// nothing on the client runs between two instructions
// @ts-expect-error
void Atomic.andThen(read, () => add)
// @ts-expect-error
void read.pipe(Atomic.andThen(() => add))
// @ts-expect-error
void read.pipe(Atomic.andThen((text: string) => name.set(text)))
// @ts-expect-error
void Atomic.andThen(read, Effect.succeed(1))
// @ts-expect-error: a value is no program
void Atomic.andThen(read, 1)

// -- a program is an effect, and an effect is no program --------------------------------------------------------------------

const effect: Effect.Effect<
  string,
  NotFound | Invalid | Failed,
  RedisService.RedisService
> = read
const committed = Atomic.commit(read)
holds<Equals<typeof committed, typeof effect>>()
// @ts-expect-error
const program: Atomic.Atomic<string, NotFound | Invalid> = effect
void program
const caught = read.pipe(Effect.catchTag("EntityNotFound", () => Effect.succeed(0)))
holds<Equals<Effect.Success<typeof caught>, string | number>>()
holds<Equals<Effect.Error<typeof caught>, Invalid | Failed>>()
// @ts-expect-error: such an error can't happen
void read.pipe(Effect.catchTag("OutOfBounds", () => Effect.succeed(0)))
const oneReason = read.pipe(Effect.catchReason("RedisServiceError", "OutOfMemory", () => Effect.succeed(null)))
holds<Equals<Effect.Success<typeof oneReason>, string | null>>()
// @ts-expect-error: no such reason
void read.pipe(Effect.catchReason("RedisServiceError", "OutOfLuck", () => Effect.succeed(null)))

declare const unknown: unknown
if (Atomic.isAtomic(unknown)) {
  holds<Equals<typeof unknown, Atomic.Atomic<unknown, unknown>>>()
}
const wider: Atomic.Atomic<string | number, NotFound | Invalid | Bounds> = read
void wider
holds<Equals<typeof read extends Atomic.Atomic<string, NotFound> ? true : false, false>>()
holds<Equals<typeof read extends Atomic.Atomic<"a", NotFound | Invalid> ? true : false, false>>()

// -- orDie ---------------------------------------------------------------------------------------------------------------

const tagged = tags.at(0).set("x")
const died = tagged.pipe(Atomic.orDie("IndexOutOfRange"))
const diedTwice = Atomic.orDie(tagged, "IndexOutOfRange", "EntityNotFound")
const pipedTwice = tagged.pipe(Atomic.orDie("IndexOutOfRange", "EntityNotFound"))
holds<Equals<typeof died, Atomic.Atomic<void, NotFound | Invalid>>>()
holds<Equals<typeof diedTwice, Atomic.Atomic<void, Invalid>>>()
holds<Equals<typeof pipedTwice, Atomic.Atomic<void, Invalid>>>()
// @ts-expect-error: not an error of this program
void tagged.pipe(Atomic.orDie("OutOfBounds"))
// @ts-expect-error: the second is not
void tagged.pipe(Atomic.orDie("IndexOutOfRange", "OutOfBounds"))
// @ts-expect-error: not an error of this program
void Atomic.orDie(tagged, "OutOfBounds")
// @ts-expect-error: a program does not have the error of its commit
void Atomic.orDie(tagged, "IndexOutOfRange", "RedisServiceError")
// @ts-expect-error: at least one tag
void Atomic.orDie(tagged)
// @ts-expect-error: at least one tag
void tagged.pipe(Atomic.orDie())
// @ts-expect-error: it has no errors
void Atomic.orDie(Atomic.succeed(1), "EntityNotFound")
// @ts-expect-error: an effect is no program
void Atomic.orDie(Effect.fail({ _tag: "A" as const }), "A")
