/**
 * Stored values come back exactly: random models, with values of every kind that a schema can hold, on both layers.
 */
import { assert, it } from "@effect/vitest"
import { Cause, Context, DateTime, Duration, Effect, Exit, Layer, Option, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { type Dump, RawStore, type Stored } from "redlayer/testing"
import { Op } from "../../src/internal/instruction/ops.ts"
import { backends } from "../support/Backends.ts"
import { backendOf } from "../support/Conformance.ts"
import { leaves } from "./leafSchemas.ts"
import { type Gen, Random, runs, seed } from "./random.ts"
import {
  composites,
  type Fields,
  fieldsFrom,
  fieldsOf,
  type Kinds,
  modifiers,
  type Property,
  unionOf
} from "./randomSchemas.ts"
import { absent, hostile, integer, millis, record } from "./randomValues.ts"
import { difference, own } from "./sameValue.ts"

type Service = RedisService.RedisService

// ---------------------------------------------------------------------------------------------------------------------
// models
// ---------------------------------------------------------------------------------------------------------------------

interface KeyCase {
  readonly fields: Schema.Struct.Fields
  readonly key: string | ReadonlyArray<string>
  readonly value: Gen<Fields>
}

const idText: Gen<string> = (random) => (random.chance(0.5) ? random.pick(hostile) : random.unicode(1, 8)) || "id"

const keyCases: ReadonlyArray<KeyCase> = [
  { fields: { id: Schema.String }, key: "id", value: (random) => ({ id: idText(random) }) },
  { fields: { id: Schema.Int }, key: "id", value: (random) => ({ id: integer(random) }) },
  { fields: { id: Schema.Date }, key: "id", value: (random) => ({ id: new Date(millis(random)) }) },
  { fields: { id: Schema.DateTimeUtc }, key: "id", value: (random) => ({ id: DateTime.makeUnsafe(millis(random)) }) },
  {
    fields: { id: Schema.String, zid: Schema.DateTimeUtc },
    key: ["id", "zid"],
    value: (random) => ({ id: idText(random), zid: DateTime.makeUnsafe(millis(random)) })
  }
]

interface Case {
  readonly name: string
  readonly properties: ReadonlyArray<Property>
  readonly key: KeyCase
  readonly model: any
  /** an entity with these fields, its defaults filled in */
  readonly entity: (fields: Fields) => Fields
}

const define = (name: string, random: Random, kinds: Kinds): Case => {
  const properties = fieldsOf(random, kinds)
  const key = random.pick(keyCases)
  const fields = { ...key.fields, ...record(properties.map(({ name, schema }) => [name, schema])) }
  const options = { key: key.key } as any
  class Made extends (random.chance(0.5) ? Model.Class<any>(name)(fields as any, options) : Object) {}
  const isClass = "fields" in Made
  return {
    name,
    properties,
    key,
    model: isClass ? Made : Model.make(name, fields as any, options),
    entity: (given) => {
      const filled = record([
        ...properties.flatMap(({ default: fallback, name }) =>
          fallback === undefined ? [] : [[name, fallback.value] as const]
        ),
        ...Object.entries(given)
      ])
      return isClass
        ? Object.defineProperties(Object.create(Made.prototype), Object.getOwnPropertyDescriptors(filled))
        : filled
    }
  }
}

/** The same value, the keys of its objects the other way round. */
const reordered = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reordered)
    : typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? record(Object.entries(value).reverse().map(([name, part]) => [name, reordered(part)]))
    : value

/** A new value to write, and the value that the field then has: a struct keeps the fields that are not written. */
const change = (self: Property, old: unknown, random: Random): readonly [unknown, unknown] => {
  if (self.struct === undefined) {
    let next = self.value(random)
    while (next === absent && self.default !== undefined) next = self.value(random)
    return next === absent ? [undefined, absent] : [next, next]
  }
  const patch = new Map<string, unknown>()
  const next = new Map<string, unknown>(Object.entries(old as Fields))
  for (const property of self.struct.properties) {
    if (random.chance(0.3)) continue
    const [written, value] = change(property, next.get(property.name), random)
    patch.set(property.name, written)
    next.set(property.name, value)
  }
  return [record(patch), self.struct.make(record(next))]
}

/** Reads a field through its handle. */
const read = (handle: any): Effect.Effect<unknown, unknown, Service> => "$" in handle ? handle.$.get() : handle.get()

const seen = ({ option }: Property, value: unknown): unknown =>
  option === "never"
    ? value
    : value === undefined || option === "null" && value === null
    ? Option.none()
    : Option.some(value)

/** A field whose type has a null somewhere may give it as such, or as none. */
const differs = (property: Property, expected: unknown, actual: unknown): string | undefined => {
  const found = difference(seen(property, expected), actual)
  if (found === undefined || (expected !== null && property.option !== "never")) return found
  return Option.isOption(actual) && difference(expected ?? undefined, Option.getOrUndefined(actual)) === undefined &&
      /Null|Json|Unknown|Any|Undefined/.test(property.text)
    ? undefined
    : found
}

// ---------------------------------------------------------------------------------------------------------------------
// round trips
// ---------------------------------------------------------------------------------------------------------------------

interface Layers {
  /** where the values go to and fro */
  readonly first: Context.Context<Service | RawStore>
  /** where the last of them is stored again */
  readonly second: Context.Context<Service | RawStore>
}

const layersOf = Effect.fnUntraced(function*(name: "memory" | "redis") {
  const build = Effect.suspend(() => Layer.build(Layer.fresh(backendOf[name].layer({}))))
  return { first: yield* build, second: yield* build } satisfies Layers
})

const failureOf = (cause: Cause.Cause<unknown>): string => {
  const error: any = Cause.squash(cause)
  return `${error?._tag ?? error?.name}: ${error?.field ?? ""} ${error?.issue ?? error?.message}`
}

/** Tells how often an entity was saved where nobody has written it since. */
const countingSaves = (service: RedisService.RedisService["Service"]) => {
  const self = {
    saves: 0,
    service: {
      ...service,
      execute: (program, read) => {
        if (program.instructions.some(({ op }) => op === Op.requireVersion)) self.saves++
        return service.execute(program, read)
      }
    } satisfies RedisService.RedisService["Service"]
  }
  return self
}

/** Sends a value to and fro in every way; gives what was wrong, each with the field that it is about. */
const roundTrips = Effect.fnUntraced(
  function*({ entity, key, model, properties }: Case, random: Random, { first, second }: Layers) {
    const wrong: Array<string> = []
    const attempt = Effect.fnUntraced(function*<A>(what: string, program: Effect.Effect<A, unknown, Service>) {
      const exit = yield* Effect.exit(program)
      if (Exit.isSuccess(exit)) return exit.value
      wrong.push(`${what} fails: ${failureOf(exit.cause)}`)
    })
    const check = (what: string, expected: Fields, actual: unknown) => {
      if (actual === undefined) return
      if (Object.getPrototypeOf(expected) !== Object.getPrototypeOf(actual)) wrong.push(`${what} gives another class`)
      const [ours, theirs] = [{ ...expected }, { ...actual as Fields }]
      const found = difference(ours, theirs, "")
      if (found !== undefined) wrong.push(`${what}: ${found}`)
    }
    const whole = (id: Fields): readonly [Fields, Fields] => {
      const given = { ...id, ...fieldsFrom(properties, random) }
      return [given, entity(given)]
    }
    const id = key.value(random)
    const ref = typeof key.key === "string" ? id[key.key] : key.key.map((name) => id[name])
    const on = Effect.provide(first)

    const [inserted, wasInserted] = whole(id)
    check("insert", wasInserted, yield* on(attempt("insert", model.insert(inserted))))
    check("get", wasInserted, yield* on(attempt("get", model.get(ref))))

    const [put, wasPut] = whole(id)
    check("put", wasPut, yield* on(attempt("put", model.put(put))))
    check("get after put", wasPut, yield* on(attempt("get after put", model.get(ref))))

    const property = random.pick(properties)
    const [patch, value] = change(property, own(wasPut, property.name), random)
    yield* on(attempt(`update of ${property.name}`, model.update(ref, record([[property.name, patch]]))))
    const last = record(new Map(Object.entries(wasPut)).set(property.name, value))
    check(`get after update of ${property.name}`, entity(last), yield* on(attempt("get after update", model.get(ref))))

    const handles = model.ref(ref)
    for (const property of properties) {
      const what = `${JSON.stringify(property.name)}.get()`
      const exit = yield* Effect.exit(on(Effect.suspend(() => read(handles[property.name]))))
      if (Exit.isFailure(exit)) wrong.push(`${what} fails: ${failureOf(exit.cause)}`)
      else {
        const found = differs(property, own(last, property.name), exit.value)
        if (found !== undefined) wrong.push(`${what}: ${found}`)
      }
    }

    // some fields as they are, and the others anew
    const kept = properties.filter(() => random.chance(0.4)).map(({ name }) => name)
    const mixed = { ...id, ...fieldsFrom(properties, random) }
    const modified = record(
      [...Object.keys(id), ...properties.map(({ name }) => name)].flatMap((name) => {
        const from = kept.includes(name) ? last : mixed
        return Object.hasOwn(from, name) ? [[name, own(from, name)] as const] : []
      })
    )
    const seen: Array<unknown> = []
    const modify = model.modify(ref, (found: Fields) => {
      seen.push(found)
      return modified
    })
    check("modify", entity(modified), yield* on(attempt("modify", modify)))
    check("what modify is given", entity(last), seen[0])
    check("get after modify", entity(modified), yield* on(attempt("get after modify", model.get(ref))))
    const same = countingSaves(Context.get(first, RedisService.RedisService))
    const again = Effect.provideService(
      attempt("modify to the same", model.modify(ref, () => reordered(modified))),
      RedisService.RedisService,
      same.service
    )
    check("modify to the same", entity(modified), yield* again)
    if (same.saves > 0) wrong.push("what is the same is written")

    yield* Effect.provide(attempt("put again", model.put(reordered(modified))), second)
    return wrong
  }
)

const describeCase = ({ name, properties }: Case): string =>
  `${name}:\n${properties.map(({ name, text }) => `      ${JSON.stringify(name)}: ${text}`).join("\n")}`

/** The stored content without its version, sorted if it has no order. */
const canonical = ({ content, type }: Stored): string => {
  if (Array.isArray(content)) return JSON.stringify(type === "list" ? content : [...content].sort())
  if (typeof content === "string") return content
  return JSON.stringify(Object.entries(content).filter(([name]) => name !== "$v").sort(([a], [b]) => a < b ? -1 : 1))
}

/** The keys of these models that are not the same in both. */
const differences = (first: Dump, second: Dump, of: (model: string) => boolean): ReadonlyArray<string> =>
  [...new Set([...Object.keys(first), ...Object.keys(second)])].flatMap((key) => {
    if (!of(key.slice(0, key.indexOf(":")))) return []
    const [ours, theirs] = [first[key], second[key]].map((stored) => stored === undefined ? "none" : canonical(stored))
    return ours === theirs ? [] : [`${key}\n      is ${ours?.slice(0, 500)}\n      and ${theirs?.slice(0, 500)}`]
  })

const everyKind = [leaves, composites, modifiers].flatMap(Object.keys)

// ---------------------------------------------------------------------------------------------------------------------
// what looks alike
// ---------------------------------------------------------------------------------------------------------------------

interface Alike {
  readonly text: string
  readonly schema: Schema.Top
  readonly values: ReadonlyArray<unknown>
  /** whether the schema's own codec, which the field goes through, may refuse a value that it can't tell from another */
  readonly mayRefuse: boolean
}

/** Unions of two kinds that have a form in common: what the one stores may read as the other. */
const unionsOfTwo = (random: Random): ReadonlyArray<Alike> => {
  const kinds = Object.entries(leaves).filter(([name]) => name !== "any JSON").map(([, kind]) => kind)
  return kinds.flatMap((a, i) =>
    kinds.slice(i + 1).flatMap((b) => {
      const members = [a(random), b(random)]
      if (!members[0]!.forms.some((form) => members[1]!.forms.includes(form))) return []
      return [members, [...members].reverse()].map((members) => {
        const { schema, text, value } = unionOf(members)
        return { text, schema, values: random.array(12, 12, value), mayRefuse: true }
      })
    })
  )
}

const nothings = [null, undefined, 1]

/**
 * Nothing at all, in two forms; durations of more milliseconds than are exact as a number; names of which V8's `JSON.parse`
 * takes one for another that it has seen (nodejs/node#63785).
 */
const edges: ReadonlyArray<Alike> = [
  {
    text: "Tuple(Record(String, Int))",
    schema: Schema.Tuple([Schema.Record(Schema.String, Schema.Int)]),
    values: ["\\", "\""].map((name) => [{ "!first": 0, [name]: 1 }]),
    mayRefuse: false
  },
  {
    text: "Array({ a: optional(NullOr(Int)) })",
    schema: Schema.Array(Schema.Struct({ a: Schema.optional(Schema.NullOr(Schema.Int)) })),
    values: [...nothings.map((a) => [{ a }]), [{}]],
    mayRefuse: true
  },
  {
    text: "Array(NullishOr(Int))",
    schema: Schema.Array(Schema.NullishOr(Schema.Int)),
    values: nothings.map((item) => [item]),
    mayRefuse: true
  },
  {
    text: "ReadonlyMap(String, NullishOr(Int))",
    schema: Schema.ReadonlyMap(Schema.String, Schema.NullishOr(Schema.Int)),
    values: nothings.map((item) => new Map([["a", item]])),
    mayRefuse: true
  },
  {
    text: "Option(NullishOr(Int))",
    schema: Schema.Option(Schema.NullishOr(Schema.Int)),
    values: nothings.map(Option.some),
    mayRefuse: true
  },
  {
    text: "Duration",
    schema: Schema.Duration,
    values: [Duration.millis(2 ** 60), Duration.millis(-1e300)],
    mayRefuse: false
  },
  {
    text: "Tuple(Duration)",
    schema: Schema.Tuple([Schema.Duration]),
    values: [[Duration.millis(2 ** 60)], [Duration.millis(-1e300)]],
    mayRefuse: true
  }
]

/** Gives what was wrong: a value that is another when it comes back. */
const tripAlike = Effect.fnUntraced(function*(model: string, { mayRefuse, schema, text, values }: Alike) {
  const Holder: any = Model.make(model, { id: Schema.Int, value: schema }, { key: "id" })
  for (const [id, value] of values.entries()) {
    const trip: Effect.Effect<any, unknown, Service> = Effect.andThen(Holder.insert({ id, value }), Holder.get(id))
    const exit = yield* Effect.exit(trip)
    if (Exit.isSuccess(exit)) {
      const found = difference(value, exit.value.value)
      if (found !== undefined) return [`${text}: ${found}`]
    } else if (!mayRefuse || !failureOf(exit.cause).startsWith("InvalidValue")) {
      return [`${text}: ${failureOf(exit.cause)}`]
    }
  }
  return []
})

const fail = (wrong: ReadonlyArray<string>) => {
  if (wrong.length > 0) assert.fail(`seed ${seed}: ${wrong.length} wrong\n  ${wrong.slice(0, 40).join("\n  ")}`)
}

for (const { describe, name } of backends) {
  describe("values of every kind", () => {
    it.live("values come back exactly, whichever operation stored and read them", () =>
      Effect.gen(function*() {
        const both = yield* layersOf(name)
        const kinds: Kinds = new Map()
        const done = new Set<string>()
        const models = Array.from({ length: Math.min(3000, runs(300)) }, (_, i) => i)
        let values = 0
        const found = yield* Effect.forEach(models, (i) =>
          Effect.gen(function*() {
            const random = new Random(`round trip ${i}`)
            const self = define(`RoundTrip-${name}-${i}`, random, kinds)
            const wrong = yield* roundTrips(self, random, both)
            values += 5 * self.properties.length
            if (wrong.length > 0) return [`${describeCase(self)}\n    ${[...new Set(wrong)].join("\n    ")}`]
            done.add(self.name)
            return []
          }), { concurrency: 32 })
        const dump = RawStore.use((raw) => raw.dump)
        const [ours, theirs] = [yield* Effect.provide(dump, both.first), yield* Effect.provide(dump, both.second)]
        const all = Object.values(ours)
        const types = [...new Set(all.map(({ type }) => type))].sort()
        const counts = everyKind.map((kind) => `${kind} ${kinds.get(kind)?.fields ?? 0}/${kinds.get(kind)?.all ?? 0}`)
        console.log([
          `seed ${seed}, on ${name}: ${models.length} models, ${values} values of fields`,
          `  fields/schemas by kind: ${counts.join(", ")}`,
          `  keys by type: ${
            types.map((type) => `${type} ${all.filter((stored) => stored.type === type).length}`).join(", ")
          }`
        ].join("\n"))
        // a model that failed has said so
        fail([...found.flat(), ...differences(ours, theirs, (model) => done.has(model))])
        assert.deepStrictEqual(types, ["hash", "list", "set"])
        assert.deepStrictEqual(everyKind.filter((kind) => (kinds.get(kind)?.fields ?? 0) === 0), [])
      }), 300_000)

    it.live(
      "values that look alike in JSON come back exactly, or are refused",
      () =>
        Effect.gen(function*() {
          const { first } = yield* layersOf(name)
          const all = [...edges, ...unionsOfTwo(new Random("alike"))]
          const found = yield* Effect.forEach(all, (self, i) => tripAlike(`RoundTrip-alike-${name}-${i}`, self), {
            concurrency: 32
          }).pipe(Effect.provide(first))
          fail(found.flat())
        }),
      60_000
    )
  })
}
