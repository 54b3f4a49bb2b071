/**
 * The text that the compiler prints for the commonest mistakes. The last line is the one that says what is wrong.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describeMemory } from "../support/Backends.ts"
import * as Doctest from "../support/doctest.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const header = `import { Effect, Schema } from "effect"
import { Atomic, Condition, Lock, Model } from "redlayer"
const UserId = Schema.String.pipe(Schema.brand("UserId"))
class User extends Model.Class<User>("User")({ name: Schema.String, age: Schema.Int }, { key: "name" }) {}
const Item = Model.make("Item", {
  id: Schema.String, count: Schema.Int, owner: UserId, due: Schema.DateTimeUtc, best: Schema.optionalKey(Schema.Int),
  list: Schema.Array(Schema.String), title: Schema.String, tags: Schema.ReadonlySet(Schema.String),
  owners: Schema.ReadonlySet(UserId)
}, { key: "id" })
const t = Item.ref("1")
`

/** Each mistake, the code of the error, and the first and the last line of its text. One line if the text has one. */
const mistakes: ReadonlyArray<readonly [mistake: string, code: string, ...text: ReadonlyArray<string>]> = [
  [
    "void Model.make(\"T\", { a: Schema.String }, { key: \"a\", ttl: \"1 hour\" })",
    "TS2769",
    "Object literal may only specify known properties, and 'ttl' does not exist in type 'Options<\"a\"> & { readonly slot?: \"id\" | undefined; } & IndexOptions<{}, {}, false, {}, {}>'."
  ],
  [
    "void Model.make(\"T\", { a: Schema.Boolean, b: Schema.Int }, { key: \"a\" })",
    "TS2769",
    "Type '\"a\"' is not assignable to type 'Key<{ readonly a: Boolean; readonly b: Int; }>'."
  ],
  [
    "void Model.make(\"T\", { a: Schema.String }, { key: \"b\" })",
    "TS2769",
    "Type '\"b\"' is not assignable to type 'Key<{ readonly a: String; }>'."
  ],
  [
    "void Model.make(\"T\", { a: Schema.String, b: Schema.String, c: Schema.Int }, { key: [\"a\", \"b\"], slot: \"c\" })",
    "TS2769",
    "Type '\"c\"' is not assignable to type 'Slot<readonly [\"a\", \"b\"]> | undefined'."
  ],
  [
    "void Model.make(\"T\", { a: Schema.String, b: Schema.String }, { key: [\"a\", \"a\"] })",
    "TS2769",
    "Type '[\"a\", \"a\"]' is not assignable to type 'readonly [\"a\", \"a\"] & \"A tuple key has each of its fields once\"'.",
    "Type '[\"a\", \"a\"]' is not assignable to type '\"A tuple key has each of its fields once\"'."
  ],
  [
    "class Typo extends Model.Class<Typo>(\"Typo\")({ a: Schema.String }, { key: \"a\", ttl: \"1 hour\" }) {}",
    "TS2769",
    "Object literal may only specify known properties, and 'ttl' does not exist in type 'Options<\"a\"> & { readonly slot?: \"id\" | undefined; } & IndexOptions<{}, {}, false, {}, {}>'."
  ],
  [
    "void Model.extend<User, typeof User>(User, \"Other\")({ age: Schema.String })",
    "TS2322",
    "Type 'String' is not assignable to type 'String & \"A field of the base can be replaced by one of the same type only\"'.",
    "Type 'Bottom<string, string, never, never, String, String, string, string, readonly [], string, \"readonly\", \"required\", \"no-default\", \"readonly\", \"required\">' is not assignable to type '\"A field of the base can be replaced by one of the same type only\"'."
  ],
  [
    "void User.deleteMany(\"alice\")",
    "TS2345",
    "Argument of type 'string' is not assignable to parameter of type 'Many<string>'."
  ],
  [
    "void Atomic.forEach(\"abc\", (item) => t.list.append(item))",
    "TS2345",
    "Argument of type 'string' is not assignable to parameter of type 'Many<string>'."
  ],
  [
    "void t.owner.set(\"u\")",
    "TS2769",
    "Argument of type 'string' is not assignable to parameter of type 'Operand<string & Brand<\"UserId\">, Failure> | (string & Brand<\"UserId\">)'."
  ],
  [
    "void t.count.eq(\"1\")",
    "TS2769",
    "Argument of type 'string' is not assignable to parameter of type 'number | Operand<number, Failure>'."
  ],
  [
    "void t.due.set(new Date())",
    "TS2769",
    "Argument of type 'Date' is not assignable to parameter of type 'Operand<Utc, Failure> | Utc'.",
    "Type 'Date' is missing the following properties from type 'Utc': pipe, _tag, epochMilliseconds, partsUtc, and 2 more."
  ],
  [
    "void t.count.append(\"x\")",
    "TS2339",
    "Property 'append' does not exist on type 'Number<number, Failure>'."
  ],
  [
    "void t.best.increment(1)",
    "TS2554",
    "Expected 2 arguments, but got 1."
  ],
  [
    "void t.tags.union(t.owners)",
    "TS2345",
    "Argument of type 'Set<string & Brand<\"UserId\">, ReadonlySet<string & Brand<\"UserId\">>>' is not assignable to parameter of type 'Set<string, any>'.",
    "Type 'string' is not assignable to type 'Brand<\"UserId\">'."
  ],
  [
    "void t.title.set(t.list.at(0).value())",
    "TS2769",
    "Argument of type 'Operand<string, IndexOutOfRange | Failure>' is not assignable to parameter of type 'string | Operand<string, Failure>'.",
    "Property 'issue' is missing in type 'IndexOutOfRange' but required in type 'InvalidValue'."
  ],
  [
    "void Condition.and([t.count.eq(1), true])",
    "TS2769",
    "Type 'boolean' is not assignable to type 'Any'."
  ],
  [
    "void Atomic.when(t.count.increment(), true)",
    "TS2345",
    "Argument of type 'boolean' is not assignable to parameter of type 'Condition<unknown>'."
  ],
  [
    "void Atomic.andThen(t.count.get(), (n) => t.count.set(n))",
    "TS2345",
    "Argument of type '(n: any) => Atomic<void, Failure>' is not assignable to parameter of type 'Atomic<unknown, unknown>'."
  ],
  [
    "void Atomic.all({ a: Effect.map(t.count.increment(), String) })",
    "TS2769",
    "Type 'Effect<string, RedisServiceError | ArithmeticFailure | Failure, RedisService>' is not assignable to type 'Effect<string, RedisServiceError | ArithmeticFailure | Failure, RedisService> & \"An Effect is no Atomic: combine programs before the commit\"' with 'exactOptionalPropertyTypes: true'. Consider adding 'undefined' to the types of the target's properties.",
    "Type 'Effect<string, RedisServiceError | ArithmeticFailure | Failure, RedisService>' is not assignable to type '\"An Effect is no Atomic: combine programs before the commit\"'."
  ],
  [
    "void Atomic.all(t.count.increment())",
    "TS2769",
    "Argument of type 'Atomic<number, ArithmeticFailure | Failure>' is not assignable to parameter of type 'Atomic<number, ArithmeticFailure | Failure> & \"Expected one argument: an array or a record of programs\"' with 'exactOptionalPropertyTypes: true'. Consider adding 'undefined' to the types of the target's properties.",
    "Type 'Atomic<number, ArithmeticFailure | Failure>' is not assignable to type '\"Expected one argument: an array or a record of programs\"'."
  ],
  [
    "void t.count.increment().pipe(Atomic.commit({ idempotencyKey: \"x\" }))",
    "TS2769",
    "Argument of type '{ idempotencyKey: string; }' is not assignable to parameter of type 'Atomic<unknown, unknown> | CommitOptions'.",
    "Property 'keepFor' is missing in type '{ idempotencyKey: string; }' but required in type 'CommitOptions'."
  ],
  [
    "void Lock.withLock(\"x\", () => Effect.void, { on: User })",
    "TS2769",
    "Type 'typeof User' is not assignable to type 'AnyRef'.",
    "Index signature for type 'string' is missing in type 'typeof User'."
  ],
  [
    "void Lock.acquire(\"x\", { waits: 3 })",
    "TS2769",
    "Object literal may only specify known properties, but 'waits' does not exist in type 'OptionsOn'. Did you mean to write 'wait'?"
  ],
  [
    "void User.modify(\"a\", async (user) => user)",
    "TS2322",
    "Type 'Promise<User>' is not assignable to type 'Effect<{ readonly name: string; readonly age: number; }, never, never> | { readonly name: string; readonly age: number; }'."
  ],
  [
    "void Effect.runPromise(User.get(\"a\"))",
    "TS2379",
    "Argument of type 'Atomic<User, EntityCorrupted | EntityNotFound | InvalidValue>' is not assignable to parameter of type 'Effect<User, EntityCorrupted | EntityNotFound | InvalidValue | RedisServiceError, never>' with 'exactOptionalPropertyTypes: true'. Consider adding 'undefined' to the types of the target's properties.",
    "Type 'RedisService' is not assignable to type 'never'."
  ]
]

/** The greatest number of lines of a text. */
const longest = 7

describeMemory("the compiler's text", () => {
  it.live("for each of the commonest mistakes says what is wrong", () =>
    Effect.gen(function*() {
      const project = yield* Doctest.temporaryProject(root, {
        include: ["mistakes.ts"],
        compilerOptions: { noUnusedLocals: false }
      })
      writeFileSync(join(project, "mistakes.ts"), `${header}${mistakes.map(([mistake]) => `${mistake}\n`).join("")}`)
      const { output } = yield* Doctest.typeCheck(root, project)
      const before = header.split("\n").length - 1
      const found = new Map<number, Array<string>>()
      let current: Array<string> | undefined
      for (const line of output.split("\n")) {
        const begin = /mistakes\.ts\((\d+),\d+\): error (TS\d+): (.*)$/.exec(line)
        if (begin !== null) {
          const at = Number(begin[1]) - before - 1
          current = found.has(at) ? undefined : [begin[2]!, begin[3]!]
          if (current !== undefined) found.set(at, current)
        } else if (line.startsWith("  ")) current?.push(line.trim())
      }
      for (const [i, [mistake, ...expected]] of mistakes.entries()) {
        const [code, ...text] = found.get(i) ?? ["no error"]
        assert.isAtMost(text.length, longest, mistake)
        const decisive = text.filter((line) =>
          line !== "No overload matches this call." && line !== "The last overload gave the following error."
        )
        assert.deepStrictEqual([code, ...new Set([decisive[0], decisive.at(-1)])], expected, mistake)
      }
    }), 60_000)
})
