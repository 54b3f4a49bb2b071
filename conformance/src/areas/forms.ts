/** Fields that an earlier schema stored in another form: none of them reads as missing, as empty or as the default. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { emptyForm, Form, formers, formKey, removeForm, storeFormer } from "../support/formModels.ts"

const { board, count, data, label, list, map, set, st, text } = Form.ref("f")

/** Operations on a field which neither replace nor clear it. */
const operations: Readonly<Record<string, ReadonlyArray<Operation>>> = {
  text: [text.get(), text.isSet(), text.setIfAbsent("x"), text.compareAndSet("x", "y"), text.eq("x") as Operation],
  label: [label.get(), label.append("x"), label.getAndSet("x"), label.eq("") as Operation],
  count: [count.get(), count.increment(), count.compareAndSet(0, 1), count.max(3)],
  data: [data.get(), data.setIfAbsent(["x"])],
  box: [Form.ref("f").box.get()],
  list: [
    list.get(),
    list.append("x"),
    list.prepend("x"),
    list.pop(),
    list.length(),
    list.contains("a") as Operation,
    list.at(0).get(),
    list.slice(0, 1)
  ],
  set: [set.get(), set.add("x"), set.has("x") as Operation, set.remove("x"), set.union(set)],
  map: [map.get(), map.put("x", 1), map.at("x").get(), map.at("x").increment(1, { initial: 0 }), map.keys()],
  board: [board.get(), board.add("x", 1), board.score("x"), board.popMin()],
  "st.coins": [st.coins.get(), st.coins.increment()],
  "st.deep.nick": [st.deep.nick.get(), st.deep.nick.setIfAbsent("x")],
  "st.deep.tags": [st.deep.tags.get(), st.deep.tags.append("x")],
  st: [st.coins.get(), st.coins.set(1), st.deep.tags.append("x"), st.deep.tags.set(["x"])],
  "st.deep": [st.deep.nick.get(), st.deep.nick.set("x"), st.deep.tags.get()]
}

/** The programs that replace a field, by its name. */
const replacements: Readonly<Record<string, readonly [set: Operation, clear: Operation | undefined]>> = {
  text: [text.set("new"), text.clear()],
  label: [label.set("new"), undefined],
  count: [count.set(7), undefined],
  data: [data.set(["new"]), data.clear()],
  box: [Form.ref("f").box.set({ size: 1, items: [] }), Form.ref("f").box.clear()],
  list: [list.set(["new"]), list.clear()],
  set: [set.set(new Set(["new"])), set.clear()],
  map: [map.set({ a: 1 }), map.clear()],
  board: [board.set([{ member: "a", score: 1 }]), board.clear()],
  "st.coins": [st.coins.set(7), undefined],
  "st.deep.nick": [st.deep.nick.set("new"), st.deep.nick.clear()],
  "st.deep.tags": [st.deep.tags.set(["new"]), st.deep.tags.clear()]
}

const titleOf = ({ field, hash, list }: typeof formers[number]): string => `${field} (${list ?? Object.keys(hash!)})`

export const forms = (test: Test): void => {
  test("a field that is stored in another form is corrupted for reads of its entity, which say the form", () =>
    Effect.gen(function*() {
      for (const former of formers) {
        yield* storeFormer(former)
        const [root] = former.field.split(".") as ["st"]
        yield* unchanged(Effect.gen(function*() {
          for (
            const program of [
              Form.get("f"),
              Form.find("f"),
              Form.pick("f", [root]),
              Form.getOrInsert(emptyForm),
              Atomic.all([Form.exists("f"), Form.get("f")])
            ]
          ) {
            const error = yield* fails(program as Operation, "EntityCorrupted", { field: former.field, applied: false })
            assert.match(error.issue, former.issue, titleOf(former))
          }
          if (root === "st") yield* fails(st.$.get(), "EntityCorrupted", { field: former.field })
        }))
        yield* removeForm
      }
    }))

  test("an operation on a field that is stored in another form fails, and writes no second form beside it", () =>
    Effect.gen(function*() {
      for (const former of formers) {
        yield* storeFormer(former)
        yield* unchanged(Effect.gen(function*() {
          for (const operation of operations[former.field]!) {
            yield* wrongType(operation)
            yield* wrongType(Atomic.all([operation, operation]))
            yield* wrongType(Atomic.all([Form.exists("f"), operation]))
          }
        }))
        yield* removeForm
      }
    }))

  test("replacing or clearing a field removes its other form", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const former of formers) {
        for (const program of replacements[former.field] ?? []) {
          if (program === undefined) continue
          yield* storeFormer(former)
          // a program that fails later removes nothing
          yield* unchanged(
            fails(Atomic.all([program, count.increment(1, { atMost: -1 })]) as Operation, "OutOfBounds")
          ).pipe(Effect.when(Effect.succeed(former.field !== "count")))
          yield* program
          const left = yield* stored
          const names = former.list === undefined ? Object.keys(former.hash!) : []
          for (const name of names) {
            if (name !== former.field || former.issue.source === "as one text") {
              assert.notProperty(left[formKey] as object, name, titleOf(former))
            }
          }
          if (former.list !== undefined) assert.notProperty(left, `${formKey}:${former.list}`, titleOf(former))
          yield* Form.get("f")
          yield* raw.delete(formKey)
          yield* removeForm
        }
      }
    }))

  test("put removes all other forms, and delete leaves no key of the entity", () =>
    Effect.gen(function*() {
      for (const former of formers) {
        yield* storeFormer(former)
        yield* Form.put(emptyForm)
        assert.deepEqual(yield* stored, { [formKey]: { label: "", count: "0", "st.coins": "0" } }, titleOf(former))
        assert.deepEqual(yield* Form.get("f"), emptyForm)
        yield* removeForm

        yield* storeFormer(former)
        assert.isTrue(yield* Form.delete("f"))
        assert.deepEqual(yield* stored, {}, titleOf(former))

        // undone
        yield* storeFormer(former)
        yield* unchanged(fails(Atomic.all([Form.delete("f"), count.increment()]), "EntityNotFound"))
        yield* removeForm
      }
    }))

  test("a new entity does not read what an earlier form of a missing field left behind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const { list } of formers) {
        if (list === undefined) continue
        yield* raw.listPush(`${formKey}:${list}`, "a")
        yield* Form.insert(emptyForm)
        assert.deepEqual(yield* Form.get("f"), emptyForm, list)
        yield* Form.delete("f")
        assert.deepEqual(yield* stored, {}, list)
      }
    }))

  test("an entity that is copied while a field has another form is not copied in part", () =>
    Effect.gen(function*() {
      for (const former of formers) {
        yield* storeFormer(former)
        if (former.list === undefined) {
          yield* Form.duplicate("f", "g")
          yield* fails(Form.get("g"), "EntityCorrupted", { field: former.field })
          yield* Form.delete("g")
        } else {
          yield* unchanged(wrongType(Form.duplicate("f", "g")))
        }
        yield* removeForm
      }
    }))

  test("an entity that expires takes its other forms with it, and one that does not keeps them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const former of formers) {
        if (former.list === undefined) continue
        const key = `${formKey}:${former.list}`
        yield* storeFormer(former)
        yield* Form.expire("f", "1 hour")
        assert.strictEqual(yield* raw.expiresAt(key), yield* raw.expiresAt(formKey), titleOf(former))
        assert.isDefined(yield* raw.expiresAt(key))
        yield* Form.persist("f")
        assert.isUndefined(yield* raw.expiresAt(key))
        yield* removeForm
      }
    }))

  test("fields that the schema does not know are allowed beside missing ones, below a struct too", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      // what newer code has added: code that does not know it yet goes on
      yield* raw.hashSet(formKey, { $v: "1", added: "1", "st.added": "2", "st.deep.added": "3", listing: "4" })
      yield* raw.listPush(`${formKey}:addedList`, "a")
      assert.deepEqual(yield* Form.get("f"), emptyForm)
      assert.deepEqual(yield* text.get(), Option.none())
      assert.strictEqual(yield* list.append("a"), 1)
      assert.strictEqual(yield* count.increment(), 1)
      assert.strictEqual(yield* st.coins.increment(), 1)
    }))
}
