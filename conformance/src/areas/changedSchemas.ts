/** Values that one schema stored are read with a changed schema: as the same values, or not at all. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Dump, RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { equalUnordered, stored } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { type Change, entityOf, isEmpty, lossOf, modelOf, randomChanges } from "../support/changedSchemas.ts"

const count = 100

const pairs = Array.from({ length: count }, (_, i) => {
  const { changes, random } = randomChanges(1000 + i)
  return {
    changes,
    before: modelOf(`Before${i}`, changes, "before"),
    after: modelOf(`After${i}`, changes, "after"),
    old: entityOf(changes, "before", random),
    next: entityOf(changes, "after", random)
  }
})

/** Each of these changes nothing if it fails, and must not succeed on a field that is stored in another form. */
const parts = [
  (field: any) => field.increment(1, { initial: 0 }),
  (field: any) => field.append("x"),
  (field: any) => field.add("x"),
  (field: any) => field.put("x", 1),
  (field: any) => field.setIfAbsent("x")
]

/** Moves what one model stored under the names of another one. */
const rename = (dump: Dump, from: string, to: string) =>
  Effect.gen(function*() {
    const raw = yield* RawStore
    for (const [key, { content, type }] of Object.entries(dump)) {
      if (!key.startsWith(`${from}:`)) continue
      const renamed = to + key.slice(from.length)
      if (type === "hash") yield* raw.hashSet(renamed, content as Record<string, string>)
      else if (type === "list") yield* raw.listPush(renamed, ...content as Array<string>)
      else if (type === "set") yield* raw.setAdd(renamed, ...content as Array<string>)
      else yield* raw.sortedAdd(renamed, ...content as Array<string>)
      yield* raw.delete(key)
    }
  })

const each = <A, E, R>(f: (pair: typeof pairs[number], i: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(pairs, f, { concurrency: "unbounded" })

const titleOf = (changes: ReadonlyArray<Change>, i: number) =>
  `pair ${i}: ${changes.map(({ after, before, name }) => `${name}: ${before?.name} → ${after?.name}`).join(", ")}`

/** The errors that say that something is stored in a way that the schema does not have. */
const isTyped = (error: any): boolean =>
  error._tag === "EntityCorrupted" || error._tag === "InvalidValue" ||
  error._tag === "RedisServiceError" && error.reason._tag === "WrongType"

const setup = Effect.gen(function*() {
  const raw = yield* RawStore
  yield* each(({ before, old }) => before.insert(old) as Effect.Effect<unknown, any>)
  const dump = yield* raw.dump
  yield* each((_, i) => rename(dump, `Before${i}`, `After${i}`))
})

export const changedSchemas = (test: Test): void => {
  test("a hundred changed schemas read what was stored before them as it was, or fail", () =>
    Effect.gen(function*() {
      yield* setup
      const read = yield* each(({ after }) => Effect.exit(after.get("x") as Effect.Effect<any, any>))
      let succeeded = 0
      for (const [i, { changes, old }] of pairs.entries()) {
        const exit = read[i]!
        if (Exit.isSuccess(exit)) {
          succeeded++
          for (const { after, before, name } of changes) {
            const loss = lossOf(before, old[name], after, exit.value[name], name)
            assert.isUndefined(loss, `${titleOf(changes, i)}: ${loss} is lost`)
          }
        } else {
          const error = yield* Effect.flip(exit)
          assert.isTrue(isTyped(error), `${titleOf(changes, i)}: ${error}`)
        }
      }
      // neither half of the claim is empty
      assert.isAbove(succeeded, 5)
      assert.isBelow(succeeded, count - 5)
    }))

  test("a field that was stored by another schema is read as it was by its handle, or fails", () =>
    Effect.gen(function*() {
      yield* setup
      yield* each(Effect.fnUntraced(function*({ after: model, changes, old }, i) {
        for (const { after, before, name } of changes) {
          if (after === undefined) continue
          const field = model.ref("x")[name]
          const exit = yield* Effect.exit((field.$ ?? field).get() as Effect.Effect<any, any>)
          if (Exit.isSuccess(exit)) {
            const value = exit.value
            const found = value?._tag === "Some" ? value.value : value?._tag === "None" ? undefined : value
            const loss = lossOf(before, old[name], after, found, name)
            assert.isUndefined(loss, `${titleOf(changes, i)}: ${loss} is lost`)
          } else {
            const error = yield* Effect.flip(exit)
            assert.isTrue(isTyped(error), `${titleOf(changes, i)}: ${error}`)
          }
        }
      }))
    }))

  test("a change of a part of a field that was stored by another schema adds to its value, or fails and changes nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* setup
      for (const part of parts) {
        const before = yield* raw.dump
        const done = yield* each(Effect.fnUntraced(function*({ after: model, changes, old }, i) {
          let wrote = false
          for (const { after, name } of changes) {
            const field = after === undefined ? undefined : model.ref("x")[name]
            if (field === undefined || field.$ !== undefined) continue
            const isReadable = Exit.isSuccess(yield* Effect.exit(field.get() as Effect.Effect<any, any>))
            const operation = Effect.suspend(() => part(field) as Effect.Effect<any, any>)
            const exit = yield* Effect.exit(operation)
            const isDone = Exit.isSuccess(exit) && exit.value !== false
            wrote ||= isDone
            if (!isEmpty(old[name])) assert.isTrue(isReadable || !isDone, `${titleOf(changes, i)}: ${name}`)
          }
          return wrote
        }))
        const after = yield* raw.dump
        for (const i of pairs.keys()) {
          if (done[i]!) continue
          for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
            if (key.startsWith(`After${i}:`)) assert.deepEqual(after[key], before[key], titleOf(pairs[i]!.changes, i))
          }
        }
      }
    }))

  test("put replaces what another schema stored, and delete leaves none of it behind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* setup
      // where a key of another type is in the way, it is deleted first
      yield* each(({ after, next }) => {
        const put: Effect.Effect<unknown, any> = after.put(next)
        return Effect.catch(put, () => Effect.andThen(after.delete("x") as typeof put, put))
      })
      const all = yield* stored
      yield* each(({ after, next }) => after.put({ ...next, id: "fresh" }) as Effect.Effect<unknown, any>)
      const fresh = yield* stored
      for (const [i, { changes }] of pairs.entries()) {
        const of = (from: Record<string, unknown>, id: string) =>
          Object.entries(from).flatMap(([key, content]) =>
            key.startsWith(`After${i}:{${id}}`) ? [[key.replace(`{${id}}`, "{}"), content]] : []
          )
        equalUnordered(Object.fromEntries(of(all, "x")), Object.fromEntries(of(fresh, "fresh")), titleOf(changes, i))
      }
      yield* each(({ after }) =>
        Effect.all([after.delete("x"), after.delete("fresh")] as Array<Effect.Effect<any, any>>)
      )
      assert.deepEqual(yield* raw.dump, {})

      yield* setup
      yield* each(({ after }) => after.delete("x") as Effect.Effect<unknown, any>)
      assert.deepEqual(yield* raw.dump, {})
    }))
}
