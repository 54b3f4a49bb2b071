/**
 * The programs of a model, on whole entities. `Model.Programs` has their types and docs; `Model.ts` lets the compiler check
 * that both have the same methods.
 *
 * May import: text, instruction, schema, program, handle, lock, the service's tag, the errors.
 * Must not know: Redis, the memory store, the public modules but `RetryPolicy`.
 * Invariant: a method never throws for its arguments; it returns a program that is refused when it is committed.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidValue } from "../../DomainError.ts"
import { readWhole, tolerating, writeStruct } from "../handle/entity.ts"
import {
  type HandleRef,
  instruct,
  invalid,
  isOne,
  named,
  nameRefusals,
  noArguments,
  nothing,
  refusedBy
} from "../handle/entityRef.ts"
import { type HandleClass, structHandle } from "../handle/struct.ts"
import { methodOf, Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import { noFields } from "../instruction/spec.ts"
import { Deferred } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Copied } from "../schema/input.ts"
import { argumentsOf, type Layout, layout } from "../schema/layout.ts"
import { lifetimes, type ModelPlan, toMilliseconds } from "../schema/model.ts"
import { readRow } from "../schema/tolerated.ts"
import { isVersion, versionOf } from "../schema/version.ts"
import { Problem } from "../text/problem.ts"
import * as Bulk from "./bulk.ts"
import * as Modify from "./modify.ts"
import * as Scan from "./scan.ts"

/** `Model.InsertOptions` documents the options. */
interface InsertOptions {
  readonly timeToLive?: Duration.Input | undefined
}

/** `Model.ReadOptions` documents the options. */
interface ReadOptions {
  readonly renew?: boolean | undefined
}

/** Makes an entity from the constructor's input. It is an effect, because defaults and generated ids are effects. */
type Construct = (input: unknown) => Effect.Effect<unknown, SchemaIssue.Issue>

/** The entity that a program stores. */
interface Stored {
  /** Returns the entity. Each commit of the program gets its own. */
  readonly entityOf: () => unknown
  /** The values of the key's fields. */
  readonly parts: ReadonlyArray<unknown>
}

/** @internal */
export const refOf = (plan: ModelPlan, id: unknown, options?: ReadOptions): HandleRef => {
  const key = plan.keyOf(id)
  const renews = options?.renew !== false
  return key instanceof Problem
    ? {
      model: plan.name,
      id: "",
      key: "",
      definition: plan.definition,
      refusal: new InvalidValue({
        model: plan.name,
        id: "",
        field: key.field || plan.keyNames.join(),
        issue: key.issue
      }),
      renews
    }
    : { model: plan.name, id: key.id, key: key.key, definition: plan.definition, refusal: undefined, renews }
}

/**
 * Each public method is a program of every model.
 *
 * @internal
 */
export class EntityPrograms {
  readonly #plan: ModelPlan
  readonly #construct: Construct
  readonly #copy: (input: unknown) => Copied
  readonly #Handle: HandleClass
  readonly #modifying: Modify.Modifying
  readonly #fieldNames: ReadonlySet<string>
  readonly #picked = new Map<string, Layout>()

  constructor(plan: ModelPlan, construct: Construct, copy: (input: unknown) => Copied) {
    this.#plan = plan
    this.#construct = construct
    this.#copy = copy
    this.#Handle = structHandle(plan.struct, false, plan.expiry)
    this.#modifying = Modify.make(plan, (input) => construct(copy(input).value), (id) => refOf(plan, id))
    this.#fieldNames = new Set(plan.struct.fields.map(([name]) => name))
  }

  #refOf(id: unknown, options?: ReadOptions): HandleRef {
    return refOf(this.#plan, id, options)
  }

  #read(op: Op, id: unknown, options: ReadOptions | undefined, of: Layout = this.#plan.layout): AtomicNode {
    return readWhole(this.#refOf(id, options), of, "", op, this.#plan.partsOf(id))
  }

  /**
   * Writes an entity. If its defaults are effects, the program is deferred: the first commit makes the entity, and then
   * commits the instruction with its texts.
   */
  #store(
    op: Op,
    given: unknown,
    options: InsertOptions | undefined,
    decode: (result: Result, stored: Stored) => unknown
  ): AtomicNode {
    const { isWhole, value: input } = this.#copy(given)
    const onFailure = (issue: SchemaIssue.Issue): AtomicNode => {
      const ref = this.#refOf(isObject(input) ? this.#plan.idOf(input) : undefined)
      return invalid({ ...ref, refusal: undefined }, "", Problem.fromIssue(issue))
    }
    const onSuccess = (entity: unknown): AtomicNode => this.#storeEntity(op, entity, isWhole, options, decode)
    const made = this.#construct(input)
    if (Exit.isExit(made)) {
      if (Exit.isSuccess(made)) return onSuccess(made.value)
      const issue = Cause.findErrorOption(made.cause)
      if (Option.isSome(issue)) return onFailure(issue.value as SchemaIssue.Issue)
    }
    const named = (node: AtomicNode): AtomicNode => refusedBy(methodOf(op), node)
    return new Deferred(Effect.map(Effect.match(made, { onFailure, onSuccess }), named))
  }

  /** @param isOwn whether nobody else has a part of the entity, so that the first commit may return it */
  #storeEntity(
    op: Op,
    entity: unknown,
    isOwn: boolean,
    options: InsertOptions | undefined,
    decode: (result: Result, stored: Stored) => unknown
  ): AtomicNode {
    const { idOf, layout, milliseconds, partsOf, spec } = this.#plan
    const id = idOf(entity)
    const ref = this.#refOf(id)
    const expiry = options?.timeToLive === undefined ? milliseconds : toMilliseconds(options.timeToLive)
    if (expiry === undefined) return invalid(ref, "", invalidDuration)
    const texts = layout.texts(entity)
    if (texts instanceof Problem) return invalid(ref, "", texts)
    const parts = partsOf(id)
    let first = isOwn ? entity : undefined
    const entityOf = (): unknown => {
      if (first === undefined) return layout.decode([false, ...texts.leaves, ...texts.collections], parts, [])
      const value = first
      first = undefined
      return value
    }
    const args = [expiry, ...argumentsOf(texts)]
    return tolerating(
      layout,
      instruct(
        ref,
        op,
        op === Op.ensure ? spec : layout.spec,
        "",
        args,
        (result) => decode(result, { entityOf, parts })
      )
    )
  }

  /** Returns the layout of the named fields, which is made once for each set of names. */
  #layoutOf(names: ReadonlyArray<string>): Layout {
    const { expiry, struct } = this.#plan
    const key = JSON.stringify([...new Set(names)].sort())
    let found = this.#picked.get(key)
    if (found === undefined) {
      const fields = struct.fields.filter(([name]) => names.includes(name))
      found = layout({ ...struct, fields, make: (value) => value }, expiry)
      this.#picked.set(key, found)
    }
    return found
  }

  ref(id: unknown, options?: ReadOptions): object {
    return new this.#Handle(this.#refOf(id, options))
  }
  get(id: unknown, options?: ReadOptions): AtomicNode {
    return this.#read(Op.read, id, options)
  }
  find(id: unknown, options?: ReadOptions): AtomicNode {
    return this.#read(Op.find, id, options)
  }
  pick(id: unknown, names: ReadonlyArray<string>, options?: ReadOptions): AtomicNode {
    const unknown = Array.isArray(names) ? names.find((name) => !this.#fieldNames.has(name)) : ""
    return unknown === undefined
      ? named("pick", this.#read(Op.read, id, options, this.#layoutOf(names)))
      : invalid(this.#refOf(id), "", new Problem("No such field", String(unknown)))
  }
  getVersioned(id: unknown, options?: ReadOptions): AtomicNode {
    const { layout, name, partsOf } = this.#plan
    const decode = (row: ReadonlyArray<Result>): unknown => {
      const version = versionOf(row[0]!)
      if (version instanceof Problem) return version
      const entity = readRow(layout, name, row, partsOf(id))
      return entity instanceof Problem ? entity : { entity, version }
    }
    return tolerating(
      layout,
      named("getVersioned", instruct(this.#refOf(id, options), Op.read, layout.spec, "", noArguments, decode))
    )
  }
  version(id: unknown): AtomicNode {
    return instruct(this.#refOf(id), Op.version, noFields, "", noArguments, versionOf)
  }
  atVersion(id: unknown, version: unknown): AtomicNode {
    return isVersion(version)
      ? instruct(this.#refOf(id), Op.atVersion, noFields, "", [version], isOne)
      : invalid(this.#refOf(id), "", new Problem("Expected a version"))
  }
  exists(id: unknown): AtomicNode {
    return instruct(this.#refOf(id), Op.exists, noFields, "", noArguments, isOne)
  }
  insert(entity: unknown, options?: InsertOptions): AtomicNode {
    return this.#store(Op.insert, entity, options, itself)
  }
  put(entity: unknown): AtomicNode {
    return this.#store(Op.put, entity, undefined, itself)
  }
  getOrInsert(entity: unknown, options?: InsertOptions): AtomicNode {
    const { layout, name } = this.#plan
    return this.#store(Op.getOrInsert, entity, options, (result, { entityOf, parts }) => {
      if (result === 1) return { entity: entityOf(), created: true }
      const found = readRow(layout, name, result as ReadonlyArray<Result>, parts)
      return found instanceof Problem ? found : { entity: found, created: false }
    })
  }
  ensure(entity: unknown, options?: InsertOptions): AtomicNode {
    return this.#store(Op.ensure, entity, options, isOne)
  }
  update(id: unknown, value: unknown): AtomicNode {
    return writeStruct(this.#refOf(id), this.#plan.struct, value, "update", this.#plan.partsOf(id))
  }
  duplicate(id: unknown, newId: unknown): AtomicNode {
    const { layout, milliseconds, spec } = this.#plan
    return instruct(this.#refOf(id), Op.duplicate, layout.spec, "", [milliseconds], nothing, {
      ref: this.#refOf(newId),
      spec,
      field: ""
    })
  }
  delete(id: unknown): AtomicNode {
    return instruct(this.#refOf(id), Op.delete, this.#plan.spec, "", noArguments, isOne)
  }
  expire(id: unknown, duration: Duration.Input): AtomicNode {
    const expiry = toMilliseconds(duration)
    return expiry === undefined
      ? invalid(this.#refOf(id), "", invalidDuration)
      : instruct(this.#refOf(id), Op.expire, this.#plan.spec, "", [expiry], nothing)
  }
  persist(id: unknown): AtomicNode {
    return instruct(this.#refOf(id), Op.persist, this.#plan.spec, "", noArguments, nothing)
  }
  timeToLive(id: unknown): AtomicNode {
    const { milliseconds: duration = 0, renewAfterMillis = 0 } = this.#plan.expiry ?? {}
    return instruct(this.#refOf(id), Op.timeToLive, this.#plan.spec, "", noArguments, (result: Result) => {
      if (result === false) return Option.none()
      const left = result as number
      // the expiry is set later than the duration, which is not to be counted on
      return Option.some(Duration.millis(left > duration && left <= duration + renewAfterMillis ? duration : left))
    })
  }

  getMany(ids: Iterable<unknown>, options?: Bulk.BulkOptions & ReadOptions): unknown {
    return Bulk.all(ids, (id) => this.get(id, options), options)
  }
  insertMany(entities: Iterable<unknown>, options?: Bulk.BulkOptions & InsertOptions): unknown {
    return Bulk.all(Bulk.once(entities, (entity) => this.insert(entity, options)), (program) => program, options)
  }
  deleteMany(ids: Iterable<unknown>, options?: Bulk.BulkOptions): unknown {
    return Bulk.all(ids, (id) => this.delete(id), options)
  }
  getManyStream(ids: Bulk.Source<unknown, any, any>, options?: Bulk.BulkOptions & ReadOptions): unknown {
    return Bulk.stream(ids, (id) => this.get(id, options), options)
  }
  insertManyStream(entities: Bulk.Source<unknown, any, any>, options?: Bulk.BulkOptions & InsertOptions): unknown {
    return Bulk.stream(entities, (entity) => this.insert(entity, options), options)
  }
  deleteManyStream(ids: Bulk.Source<unknown, any, any>, options?: Bulk.BulkOptions): unknown {
    return Bulk.stream(ids, (id) => this.delete(id), options)
  }

  stream(options?: Bulk.BulkOptions): unknown {
    return Scan.stream(this.#plan, (id) => this.find(id, { renew: false }), options)
  }
  count(): unknown {
    return Scan.count(this.#plan)
  }

  modify(...args: Parameters<Modify.Modifying["modify"]>): unknown {
    return this.#modifying.modify(...args)
  }
  withLock(...args: Parameters<Modify.Modifying["withLock"]>): unknown {
    return this.#modifying.withLock(...args)
  }
}

nameRefusals(EntityPrograms, () => "", ["update"])

const isObject = (input: unknown): boolean => typeof input === "object" && input !== null

const itself = (_: Result, { entityOf }: Stored): unknown => entityOf()

const invalidDuration = new Problem(`Expected a time to live of ${lifetimes}`)
