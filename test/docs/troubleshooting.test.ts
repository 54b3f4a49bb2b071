/**
 * The page of messages has every error, with the text that it really has.
 */
import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { DomainError, RedisServiceError } from "redlayer"
import { describeMemory } from "../support/Backends.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const page = readFileSync(`${root}/docs/troubleshooting.md`, "utf8")

const user = { model: "User", id: "ann" }
const lock = { model: "", id: "", name: "job", operation: "withLock" }

/** An error of each class, as the page shows it. */
const errors: ReadonlyArray<Error & { readonly _tag: string }> = [
  new RedisServiceError.ConnectionUnavailable({ address: "127.0.0.1:6379", code: "ECONNREFUSED" }),
  new RedisServiceError.ConnectionUnavailable({ code: "CLOSED" }),
  new RedisServiceError.ServerUnavailable({ code: "LOADING" }),
  new RedisServiceError.ServerUnavailable({ code: "READONLY" }),
  new RedisServiceError.OutcomeUnknown({}),
  new RedisServiceError.OutcomeUnknown({ applied: true }),
  new RedisServiceError.NotEnoughReplicas({ required: 1, confirmed: 0 }),
  new RedisServiceError.OutOfMemory({}),
  new RedisServiceError.AccessDenied({ code: "NOPERM", commands: ["HSET", "EXPIRE"] }),
  new RedisServiceError.CrossSlot({ keys: [] }),
  new RedisServiceError.WrongType({ ...user, key: "", field: "age", applied: false }),
  new RedisServiceError.WrongType({ ...user, key: "", field: "name", applied: false, isMissing: true }),
  new RedisServiceError.Unsupported({ requirement: "Redis 7.0, or Valkey 7.2, or newer" }),
  new RedisServiceError.InvalidOption({ option: "deadline", issue: "expected a duration of at least 1 ms" }),
  new RedisServiceError.ScriptFailed({ code: "ERR", applied: false }),
  new DomainError.EntityNotFound({ ...user, operation: "age.increment" }),
  new DomainError.EntityExists({ ...user, operation: "insert" }),
  new DomainError.UniqueViolation({ ...user, index: "email", operation: "insert" }),
  new DomainError.OutOfBounds({
    model: "Product",
    id: "lamp",
    field: "stock",
    bound: "minimum",
    limit: 0,
    operation: "stock.decrement"
  }),
  new DomainError.ArithmeticError({
    model: "Account",
    id: "ann",
    field: "coins",
    reason: "notWhole",
    operation: "coins.divide"
  }),
  new DomainError.IndexOutOfRange({ model: "Queue", id: "q", field: "jobs", index: 3, operation: "jobs.at.set" }),
  new DomainError.InvalidValue({ ...user, field: "age", issue: "Expected an integer", operation: "age.set" }),
  new DomainError.EntityCorrupted({ ...user, key: "", field: "age", issue: "Expected an integer", applied: false }),
  new DomainError.Conflict({ model: "Doc", id: "d", reason: "version", operation: "modify" }),
  new DomainError.Conflict({ model: "Wallet", id: "w", reason: "idempotencyKey" }),
  new DomainError.LockTimeout(lock),
  new DomainError.LockLost(lock)
]

/** The text between two headings. */
const partOf = (heading: string): string => new RegExp(`^### ${heading}$([^]*?)(?=^##)`, "m").exec(page)?.[1] ?? ""

describeMemory("the page of messages", () => {
  it("every reason and every domain error has a part that shows its message", () => {
    const classes = [...Object.entries(RedisServiceError), ...Object.entries(DomainError)].flatMap(([name, value]) =>
      typeof value === "function" && value.prototype instanceof Error && name !== "RedisServiceError" ? [name] : []
    )
    assert.deepStrictEqual([...new Set(errors.map(({ _tag }) => _tag))].sort(), classes.sort())
    for (const { _tag, message } of errors) {
      const part = partOf(_tag.startsWith("Lock") ? "Locks" : _tag)
      assert.include(part, message, _tag)
      if (_tag.startsWith("Lock")) assert.include(part, `**${_tag}**`)
    }
  })

  it("every code of a temporary refusal is on the page", () => {
    const source = readFileSync(`${root}/src/internal/redis/classify.ts`, "utf8")
    const [, set] = /const unavailable = new Set\(\[([^\]]*)\]/.exec(source)!
    const codes = [...set!.matchAll(/"(\w+)"/g)].map(([, code]) => code!)
    assert.isAbove(codes.length, 5)
    for (const code of [...codes, "OOM", "NOPERM", "CROSSSLOT", "WRONGTYPE", "NOSCRIPT"]) {
      assert.include(page, `\`${code}\``)
    }
  })

  it("the texts of warnings, and of errors of programming, are those of the source", () => {
    const source = globSync("src/**/*.ts", { cwd: root }).map((path) => readFileSync(`${root}/${path}`, "utf8")).join(
      "\n"
    )
    const begin = page.indexOf("## Warnings")
    const table = page.slice(begin, page.indexOf("\n## ", begin + 1))
    const texts = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, text]) => text!)
    assert.isAbove(texts.length, 5)
    const others = [
      "Not an Atomic: an Effect can't be a part of a program; combine programs before the commit",
      "another model of this name, stored in another form, is in use on this service; build the layer again, or use another name",
      "An Effect is no Atomic: combine programs before the commit",
      "Expected one argument: an array or a record of programs"
    ]
    for (const text of others) assert.include(page, text)
    // a text has a part that differs where the page has dots, or an address
    const parts = [...texts, ...others].flatMap((text) => text.split(/…|6379/)).filter((part) => part.length > 10)
    for (const part of parts) assert.include(source, part.trim())
  })
})
