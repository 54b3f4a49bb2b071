/**
 * The programs of a model, on whole entities.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidValue } from "../../DomainError.ts"
import { makePlan, type ModelPlan } from "../schema/model.ts"
import { Problem } from "../schema/problem.ts"
import { type AtomicNode, Deferred, Invalid } from "./atomic.ts"
import { type HandleClass, instruct, invalid, patch, type Place, readWhole, sequence, structHandle } from "./handle.ts"
import { Op } from "./instruction.ts"

/** @internal */
export interface Entities {
  readonly ref: (id: unknown) => object
  readonly get: (id: unknown) => AtomicNode
  readonly find: (id: unknown) => AtomicNode
  readonly exists: (id: unknown) => AtomicNode
  readonly insert: (entity: unknown) => AtomicNode
  readonly put: (entity: unknown) => AtomicNode
  readonly update: (id: unknown, patch: unknown) => AtomicNode
  readonly delete: (id: unknown) => AtomicNode
}

type Construct = (input: unknown) => Effect.Effect<unknown, SchemaIssue.Issue>

const placeOf = (plan: ModelPlan, id: unknown): Place => {
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
  const { layout } = plan
  const Handle: HandleClass = structHandle(plan.struct, false)
  const place = (id: unknown): Place => placeOf(plan, id)
  const isOne = (result: unknown): boolean => result === 1

  const store = (op: Op, input: unknown): AtomicNode =>
    new Deferred(Effect.match(construct(input), {
      onFailure: (issue): AtomicNode => {
        const problem = Problem.fromIssue(issue)
        return new Invalid(new InvalidValue({ model: plan.name, id: "", field: problem.field, issue: problem.issue }))
      },
      onSuccess: (entity): AtomicNode => {
        const at = place(plan.idOf(entity))
        const args = layout.encode(entity)
        return args instanceof Problem
          ? at.refusal === undefined ? invalid(at, "", args) : new Invalid(at.refusal)
          : instruct(at, op, layout.spec, "", args, () => entity)
      }
    }))

  return {
    ref: (id) => new Handle(place(id)),
    get: (id) => readWhole(place(id), layout, "", Op.read, plan.partsOf(id)),
    find: (id) => readWhole(place(id), layout, "", Op.find, plan.partsOf(id)),
    exists: (id) => instruct(place(id), Op.exists, { fs: [], cs: [] }, "", [], isOne),
    insert: (entity) => store(Op.insert, entity),
    put: (entity) => store(Op.put, entity),
    update: (id, value) => {
      const at = place(id)
      return sequence(at, patch(at, plan.struct, value, false))
    },
    delete: (id) => instruct(place(id), Op.delete, layout.spec, "", [], isOne)
  }
}

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
  options: { readonly key?: any; readonly slot?: any } | undefined
): (schema: any) => Entities => {
  let construct: ((fields: object) => unknown) | undefined
  const plan = makePlan(
    name,
    fields,
    { key: options?.key ?? "id", slot: options?.slot ?? "id" },
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
