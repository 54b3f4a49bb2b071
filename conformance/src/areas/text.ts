/** Text fields: get, set, getAndSet, compareAndSet and append, lengths in UTF-16 units, and invalid Unicode. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Slug = Schema.String.pipe(Schema.brand("Slug"))

const Page = Model.make("TextPage", {
  id: Schema.String,
  text: Schema.String,
  short: Schema.String.check(Schema.isMaxLength(5)).pipe(Model.withDefault("")),
  named: Schema.String.check(Schema.isBetweenLength(2, 4)).pipe(Model.withDefault("ab")),
  lower: Schema.String.check(Schema.isPattern(/^[a-z]*$/)).pipe(Model.withDefault("")),
  slug: Slug.pipe(Model.withDefault(Slug.make("s"))),
  lines: Schema.Array(Schema.String.check(Schema.isMaxLength(5)))
}, { key: "id" })

const page = { id: "p", text: "", lines: [] }

/** Texts that a layer between the field and the store might change, cut or misread. */
const texts: ReadonlyArray<string> = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\n",
  "\r\n\t",
  "\\",
  "\\n",
  "\\u0000",
  "\"",
  "'",
  "/",
  "</script>",
  "%s %d %%",
  "{}",
  "[]",
  "[1,2]",
  "{\"a\":1}",
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1.0",
  "1e400",
  "nan",
  "9007199254740993",
  "undefined",
  "\u0001\u001f\u007f\u0080\u009f",
  "\u00e9",
  "e\u0301",
  "\u2028\u2029",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "\u{1f600}",
  "\u{10ffff}",
  "👩‍👩‍👧‍👦",
  "日本語",
  "é".repeat(1000),
  "x".repeat(100_000),
  Array.from({ length: 0xd800 }, (_, i) => String.fromCharCode(i)).join("")
]

const illFormed: ReadonlyArray<string> = [
  "\ud800",
  "\udfff",
  "a\ud83d",
  "\ude00a",
  "\udc00\ud800",
  "\ud83d\ud83d\ude00",
  "\u{1f600}".slice(0, 1)
]

export const text = (test: Test): void => {
  test("every well-formed text is read back unchanged by every operation", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* concurrently(
        texts.map((text, i) => Page.insert({ id: String(i), text, lines: [text.slice(0, 2).toWellFormed()] }))
      )
      yield* concurrently(texts.map((text, i) =>
        Effect.gen(function*() {
          const id = String(i)
          const ref = Page.ref(id)
          assert.strictEqual((yield* Page.get(id)).text, text)
          assert.strictEqual(yield* ref.text.get(), text)
          assert.strictEqual(yield* raw.hashGet(`TextPage:{${id}}`, "text"), text)
          assert.deepEqual(yield* ref.lines.get(), [text.slice(0, 2).toWellFormed()])
          assert.strictEqual(yield* ref.text.getAndSet("other"), text)
          yield* ref.text.set(text)
          assert.isFalse(yield* ref.text.compareAndSet(`${text} `, "wrong"))
          assert.isTrue(yield* ref.text.compareAndSet(text, "a"))
          assert.strictEqual(yield* ref.text.append(text), 1 + text.length)
          assert.strictEqual(yield* ref.text.get(), `a${text}`)
          assert.deepEqual(
            yield* Atomic.all([
              ref.text.set(text),
              ref.text.get(),
              ref.text.append("!"),
              ref.text.getAndSet("b"),
              ref.text.compareAndSet("b", text),
              Page.get(id)
            ]).pipe(Atomic.map(([, got, length, old, swapped, whole]) => [got, length, old, swapped, whole.text])),
            [text, text.length + 1, `${text}!`, true, text]
          )
        })
      ))
    }))

  test("append adds texts in order, to an empty text too, and may add nothing", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { text } = Page.ref("p")
      assert.strictEqual(yield* text.append(""), 0)
      assert.strictEqual(yield* text.append("a"), 1)
      assert.strictEqual(yield* text.append("bc"), 3)
      assert.strictEqual(yield* text.append(""), 3)
      assert.strictEqual(yield* text.append("\u{1f600}"), 5)
      assert.deepEqual(yield* Atomic.all([text.append("d"), text.append("e"), text.get()]), [6, 7, "abc\u{1f600}de"])
    }))

  test("concurrent appends each happen exactly once", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const parts = Array.from({ length: 200 }, (_, i) => `<${i}>`)
      const lengths = yield* concurrently(parts.map((part) => Page.ref("p").text.append(part)))
      const text = yield* Page.ref("p").text.get()
      assert.strictEqual(text.length, parts.join("").length)
      for (const part of parts) assert.strictEqual(text.split(part).length, 2, part)
      assert.strictEqual(new Set(lengths).size, 200)
    }))

  test("exactly one of many concurrent `compareAndSet` calls succeeds", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { text } = Page.ref("p")
      const won = yield* concurrently(Array.from({ length: 50 }, (_, i) => text.compareAndSet("", `winner ${i}`)))
      assert.strictEqual(won.filter((one) => one).length, 1)
      assert.strictEqual(yield* text.get(), `winner ${won.indexOf(true)}`)
      // concurrent `getAndSet` calls return every value exactly once
      const old = yield* concurrently(Array.from({ length: 50 }, (_, i) => text.getAndSet(`next ${i}`)))
      const all = [...old, yield* text.get()].sort()
      assert.deepEqual(
        all,
        [`winner ${won.indexOf(true)}`, ...Array.from({ length: 50 }, (_, i) => `next ${i}`)].sort()
      )
    }))

  test("texts compare byte by byte", () =>
    Effect.gen(function*() {
      yield* Page.insert({ ...page, text: "1" })
      const { text } = Page.ref("p")
      for (const other of ["1.0", "01", " 1", "1 ", "1\u0000", "", "\u0661"]) {
        assert.isFalse(yield* unchanged(text.compareAndSet(other, "x")), other)
      }
      yield* text.set("\u00e9")
      assert.isFalse(yield* text.compareAndSet("e\u0301", "x"))
      assert.isFalse(yield* text.compareAndSet("\u00c9", "x"))
      assert.isTrue(yield* text.compareAndSet("\u00e9", "x"))
    }))

  test("invalid Unicode is refused before anything is sent, wherever it is", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      yield* unchanged(Effect.gen(function*() {
        const { lines, slug, text } = Page.ref("p")
        const at = { model: "TextPage", id: "p" }
        for (const bad of illFormed) {
          yield* fails(text.set(bad), "InvalidValue", { ...at, field: "text" })
          yield* fails(text.append(bad), "InvalidValue", { ...at, field: "text" })
          yield* fails(text.getAndSet(bad), "InvalidValue", { ...at, field: "text" })
          yield* fails(text.compareAndSet("", bad), "InvalidValue", { ...at, field: "text" })
          yield* fails(text.compareAndSet(bad, ""), "InvalidValue", { ...at, field: "text" })
          yield* fails(slug.set(bad as never), "InvalidValue", { ...at, field: "slug" })
          yield* fails(lines.append([" ", bad]), "InvalidValue", { ...at, field: "lines" })
          yield* fails(lines.set([bad]), "InvalidValue", { ...at, field: "lines" })
          yield* fails(lines.at(0).set(bad), "InvalidValue", { ...at, field: "lines" })
          yield* fails(Page.update("p", { text: bad }), "InvalidValue", { ...at, field: "text" })
          yield* fails(Page.put({ ...page, text: bad }), "InvalidValue", { ...at, field: "text" })
          yield* fails(Atomic.all([text.set("fine"), lines.append(bad)]), "InvalidValue", { ...at, field: "lines" })
        }
        for (const other of [1, null, undefined, {}, ["a"], true, 1n, new String("a")]) {
          yield* fails(text.set(other as never), "InvalidValue", { ...at, field: "text" })
          yield* fails(text.append(other as never), "InvalidValue", { ...at, field: "text" })
        }
      }))
    }))

  test("a length is counted in UTF-16 units, as in the schema", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { short } = Page.ref("p")
      const samples = [
        "\u007f",
        "\u0080",
        "\u07ff",
        "\u0800",
        "\ufffd",
        "\uffff",
        "\u{10000}",
        "\u{1f600}",
        "\u{10ffff}"
      ]
      for (const sample of samples) {
        yield* short.set("")
        for (let units = sample.length; units <= 5; units += sample.length) {
          assert.strictEqual(yield* short.append(sample), units)
        }
        const full = yield* short.get()
        yield* unchanged(fails(short.append(sample), "OutOfBounds", {
          model: "TextPage",
          id: "p",
          field: "short",
          bound: "maxLength",
          limit: 5
        }))
        assert.strictEqual(yield* short.append(""), full.length)
      }
    }))

  test("length bounds of the schema apply to every operation", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Page.insert({ ...page, lines: ["12345"] })
      const { lines, named, short } = Page.ref("p")
      yield* unchanged(Effect.gen(function*() {
        yield* fails(short.set("123456"), "InvalidValue", { field: "short" })
        yield* fails(short.getAndSet("123456"), "InvalidValue", { field: "short" })
        yield* fails(short.compareAndSet("", "123456"), "InvalidValue", { field: "short" })
        yield* fails(Page.update("p", { named: "a" }), "InvalidValue", { field: "named" })
        yield* fails(Page.put({ ...page, named: "abcde" }), "InvalidValue", { field: "named" })
        yield* fails(lines.at(0).append("6"), "OutOfBounds", { field: "lines", bound: "maxLength", limit: 5 })
        yield* fails(lines.append("123456"), "InvalidValue", { field: "lines" })
        // the appended text alone is longer than the bound
        yield* fails(named.append("abc"), "OutOfBounds", { field: "named", bound: "maxLength", limit: 4 })
        yield* fails(Atomic.all([named.append("c"), named.append("d"), named.append("e")]), "OutOfBounds")
      }))
      assert.deepEqual(yield* Atomic.all([named.append("c"), named.append("d")]), [3, 4])
      yield* raw.hashSet("TextPage:{p}", { named: "" })
      yield* unchanged(fails(named.append("a"), "OutOfBounds", { bound: "minLength", limit: 2 }))
      yield* unchanged(fails(Page.get("p"), "EntityCorrupted", { field: "named" }))
      yield* unchanged(wrongType(named.get(), { field: "named" }))
      assert.strictEqual(yield* named.append("ab"), 2)
    }))

  test("a check that only the client can evaluate refuses append and no other operation", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { lower } = Page.ref("p")
      const { issue } = yield* unchanged(fails(lower.append("a"), "InvalidValue", { field: "lower" }))
      assert.include(issue, "modify")
      yield* unchanged(fails(lower.set("A"), "InvalidValue", { field: "lower" }))
      yield* lower.set("abc")
      assert.strictEqual(yield* lower.getAndSet("d"), "abc")
      assert.isTrue(yield* lower.compareAndSet("d", "e"))
      assert.strictEqual((yield* Page.get("p")).lower, "e")
    }))

  test("a branded text has no append, and is set to values of its brand", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { slug } = Page.ref("p")
      assert.strictEqual(yield* slug.getAndSet(Slug.make("t")), "s")
      assert.isTrue(yield* slug.compareAndSet(Slug.make("t"), Slug.make("u")))
      yield* slug.set(Slug.make("v"))
      assert.strictEqual(yield* slug.get(), "v")
    }))

  test("a text may grow to the largest value, which is measured in UTF-8 bytes", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { text } = Page.ref("p")
      yield* text.set("x".repeat(1_000_000))
      assert.strictEqual((yield* text.get()).length, 1_000_000)
      yield* unchanged(Effect.gen(function*() {
        for (const large of ["x".repeat(1_000_001), "\u00e9".repeat(500_001), "\u{1f600}".repeat(250_001)]) {
          const { issue } = yield* fails(text.set(large), "InvalidValue", { model: "TextPage", id: "p", field: "text" })
          assert.include(issue, "1000000 bytes")
          yield* fails(text.append(large), "InvalidValue", { field: "text" })
          yield* fails(Atomic.all([text.get(), text.set(large)]), "InvalidValue", { field: "text" })
          yield* fails(Page.put({ ...page, text: large }), "InvalidValue", { model: "TextPage", id: "p" })
        }
      }))
      yield* text.set("\u{1f600}".repeat(250_000))
      assert.strictEqual((yield* stored)["TextPage:{p}"] && (yield* text.get()).length, 500_000)
    }))
}
