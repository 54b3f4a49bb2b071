/**
 * The programs of a model, on whole entities.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidValue } from "../../DomainError.ts"
import { type HandleRef, instruct, invalid, isOne, none, nothing } from "../handle/entityRef.ts"
import { type HandleClass, patch, readWhole, sequence, structHandle, tolerating } from "../handle/struct.ts"
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import { noFields } from "../instruction/spec.ts"
import { Deferred } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { type Layout, layout } from "../schema/layout.ts"
import { makePlan, type ModelPlan, type PlanOptions, toMilliseconds } from "../schema/model.ts"
import { readRow } from "../schema/tolerated.ts"
import { Problem } from "../text/problem.ts"
import * as Bulk from "./bulk.ts"
import * as Modify from "./modify.ts"

interface Creation {
  readonly timeToLive?: Duration.Input | undefined
}

/** @internal */
export interface Entities {
  readonly ref: (id: unknown) => object
  readonly get: (id: unknown) => AtomicNode
  readonly find: (id: unknown) => AtomicNode
  readonly pick: (id: unknown, names: ReadonlyArray<string>) => AtomicNode
  readonly exists: (id: unknown) => AtomicNode
  readonly insert: (entity: unknown, options?: Creation) => AtomicNode
  readonly put: (entity: unknown) => AtomicNode
  readonly getOrInsert: (entity: unknown, options?: Creation) => AtomicNode
  readonly ensure: (entity: unknown, options?: Creation) => AtomicNode
  readonly update: (id: unknown, patch: unknown) => AtomicNode
  readonly duplicate: (id: unknown, newId: unknown) => AtomicNode
  readonly delete: (id: unknown) => AtomicNode
  readonly expire: (id: unknown, duration: Duration.Input) => AtomicNode
  readonly persist: (id: unknown) => AtomicNode
  readonly timeToLive: (id: unknown) => AtomicNode
  readonly getMany: (ids: Iterable<unknown>, options?: Bulk.BulkOptions) => unknown
  readonly insertMany: (entities: Iterable<unknown>, options?: Bulk.BulkOptions & Creation) => unknown
  readonly deleteMany: (ids: Iterable<unknown>, options?: Bulk.BulkOptions) => unknown
  readonly getManyStream: (ids: Bulk.Source<unknown, any, any>, options?: Bulk.BulkOptions) => unknown
  readonly insertManyStream: (
    entities: Bulk.Source<unknown, any, any>,
    options?: Bulk.BulkOptions & Creation
  ) => unknown
  readonly deleteManyStream: (ids: Bulk.Source<unknown, any, any>, options?: Bulk.BulkOptions) => unknown
  readonly modify: Modify.Modifying["modify"]
  readonly withLock: Modify.Modifying["withLock"]
}

/** @internal */
export const programNames = [
  "ref",
  "get",
  "find",
  "pick",
  "exists",
  "insert",
  "put",
  "getOrInsert",
  "ensure",
  "update",
  "duplicate",
  "delete",
  "expire",
  "persist",
  "timeToLive",
  "getMany",
  "insertMany",
  "deleteMany",
  "getManyStream",
  "insertManyStream",
  "deleteManyStream",
  "modify",
  "withLock"
] as const satisfies ReadonlyArray<keyof Entities>

type Construct = (input: unknown) => Effect.Effect<unknown, SchemaIssue.Issue>

const placeOf = (plan: ModelPlan, id: unknown): HandleRef => {
  const key = plan.keyOf(id)
  return key instanceof Problem
    ? {
      model: plan.name,
      id: "",
      key: "",
      refusal: new InvalidValue({
        model: plan.name,
        id: "",
        field: key.field || plan.keyNames.join(),
        issue: key.issue
      })
    }
    : { model: plan.name, id: key.id, key: key.key, refusal: undefined }
}

const makeEntities = (plan: ModelPlan, construct: Construct): Entities => {
  const { layout: whole, expiry, milliseconds, spec } = plan
  const Handle: HandleClass = structHandle(plan.struct, false, expiry)
  const place = (id: unknown): HandleRef => placeOf(plan, id)

  const store = (
    op: Op,
    input: unknown,
    options: Creation | undefined,
    decode: (result: Result, entity: unknown) => unknown,
    make = construct(input)
  ): AtomicNode =>
    new Deferred(Effect.match(make, {
      onFailure: (issue): AtomicNode => {
        const at = place(isObject(input) ? plan.idOf(input) : undefined)
        return invalid({ ...at, refusal: undefined }, "", Problem.fromIssue(issue))
      },
      onSuccess: (entity): AtomicNode => {
        const at = place(plan.idOf(entity))
        const lives = options?.timeToLive === undefined ? milliseconds : toMilliseconds(options.timeToLive)
        if (lives === undefined) return invalid(at, "", unlivable)
        const content = whole.encode(entity)
        return content instanceof Problem
          ? invalid(at, "", content)
          : tolerating(
            whole,
            instruct(at, op, op === Op.ensure ? spec : whole.spec, "", [lives, ...content], (result) =>
              decode(result, entity))
          )
      }
    }))

  const picked = new Map<string, Layout>()
  const pickedLayout = (names: ReadonlyArray<string>): Layout => {
    const key = JSON.stringify([...new Set(names)].sort())
    let found = picked.get(key)
    if (found === undefined) {
      const fields = plan.struct.fields.filter(([name]) => names.includes(name))
      found = layout({ ...plan.struct, fields, make: (value) => value }, expiry)
      picked.set(key, found)
    }
    return found
  }
  const known = new Set(plan.struct.fields.map(([name]) => name))

  const get = (id: unknown) => readWhole(place(id), whole, "", Op.read, plan.partsOf(id))
  const insert = (entity: unknown, options?: Creation) => store(Op.insert, entity, options, itself)
  const remove = (id: unknown) => instruct(place(id), Op.delete, spec, "", none, isOne)

  return {
    ref: (id) => new Handle(place(id)),
    get,
    find: (id) => readWhole(place(id), whole, "", Op.find, plan.partsOf(id)),
    pick: (id, names) => {
      const unknown = Array.isArray(names) ? names.find((name) => !known.has(name)) : ""
      return unknown === undefined
        ? readWhole(place(id), pickedLayout(names), "", Op.read, plan.partsOf(id))
        : invalid(place(id), "", new Problem("No such field", String(unknown)))
    },
    exists: (id) => instruct(place(id), Op.exists, noFields, "", none, isOne),
    insert,
    put: (entity) => store(Op.put, entity, undefined, itself),
    getOrInsert: (entity, options) =>
      store(Op.getOrInsert, entity, options, (result, inserted) => {
        if (result === 1) return { entity: inserted, created: true }
        const found = readRow(whole, plan.name, result as ReadonlyArray<Result>, plan.partsOf(plan.idOf(inserted)))
        return found instanceof Problem ? found : { entity: found, created: false }
      }),
    ensure: (entity, options) => store(Op.ensure, entity, options, isOne),
    update: (id, value) => {
      const at = place(id)
      return sequence(at, patch(at, plan.struct, value, false))
    },
    duplicate: (id, newId) =>
      instruct(place(id), Op.duplicate, whole.spec, "", [milliseconds], nothing, {
        place: place(newId),
        spec,
        field: ""
      }),
    delete: remove,
    expire: (id, duration) => {
      const lives = toMilliseconds(duration)
      return lives === undefined
        ? invalid(place(id), "", unlivable)
        : instruct(place(id), Op.expire, spec, "", [lives], nothing)
    },
    persist: (id) => instruct(place(id), Op.persist, spec, "", none, nothing),
    timeToLive: (id) =>
      instruct(
        place(id),
        Op.timeToLive,
        spec,
        "",
        none,
        (result: Result) => result === false ? Option.none() : Option.some(Duration.millis(result as number))
      ),
    getMany: (ids, options) => Bulk.all(ids, get, options),
    insertMany: (entities, options) =>
      Bulk.all(
        Bulk.once(entities, construct),
        ({ item, make }) => store(Op.insert, item, options, itself, make),
        options
      ),
    deleteMany: (ids, options) => Bulk.all(ids, remove, options),
    getManyStream: (ids, options) => Bulk.stream(ids, get, options),
    insertManyStream: (entities, options) => Bulk.stream(entities, (entity) => insert(entity, options), options),
    deleteManyStream: (ids, options) => Bulk.stream(ids, remove, options),
    ...Modify.make(plan, construct, place)
  }
}

const isObject = (input: unknown): boolean => typeof input === "object" && input !== null

const itself = (_: Result, entity: unknown): unknown => entity

const unlivable = new Problem("Expected a time to live that is finite, and at least 1 ms")

const random = SecureRandom.make(SecureRandom.randomBytesUnsafe)

/** @internal */
export const withId = (fields: Schema.Struct.Fields): Schema.Struct.Fields => ({
  id: Schema.String.pipe(Schema.withConstructorDefault(random.uuidV7())),
  ...fields
})

type Constructible = Schema.Top & {
  readonly fields: Schema.Struct.Fields
  makeEffect(input: unknown): Effect.Effect<unknown, SchemaIssue.Issue>
}

/**
 * The plan is made, and refused, at once; what constructs an entity is known when the schema is.
 *
 * @internal
 */
export const lazyEntities = (
  name: string,
  fields: Schema.Struct.Fields,
  options: { readonly [Name in keyof PlanOptions]?: any }
): (schema: any) => Entities => {
  let construct: ((fields: object) => unknown) | undefined
  const plan = makePlan(
    name,
    fields,
    { key: options.key ?? "id", slot: options.slot ?? "id", timeToLive: options.timeToLive },
    (value) => construct === undefined ? value : construct(value)
  )
  let owner: Constructible | undefined
  let entities: Entities | undefined
  return (schema: Constructible) => {
    if (owner === schema) return entities!
    if (schema.fields !== fields) {
      throw new Error(
        `Model "${name}": "${(schema as any).identifier}" extends it by Schema; a model can't be inherited so`
      )
    }
    const link = schema.ast.encoding?.[0]
    construct = link === undefined ? undefined : (link.transformation.decode as any).transform
    owner = schema
    return entities = makeEntities(plan, (input) => schema.makeEffect(input))
  }
}
