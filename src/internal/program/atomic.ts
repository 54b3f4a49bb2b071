/**
 * What a program is before it runs: a tree of instructions and of what becomes of their results. Compiled, it is a flat list
 * of instructions, and a fold of the results in postfix, so that neither depth nor length can exhaust a stack.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import {
  ArithmeticError,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  IndexOutOfRange,
  InvalidValue,
  OutOfBounds
} from "../../DomainError.ts"
import { RedisService } from "../../RedisService.ts"
import { RedisServiceError, WrongType } from "../../RedisServiceError.ts"
import { Problem } from "../schema/problem.ts"
import {
  accessOf,
  type Argument,
  type Failure,
  type FieldSpec,
  type Instruction,
  isEntitySpec,
  Op,
  type Program,
  type Reply,
  type Result,
  type Spec
} from "./instruction.ts"

/** @internal */
export const TypeId = "~redlayer/Atomic"

/**
 * The entity that an instruction works on.
 *
 * @internal
 */
export interface Place {
  readonly model: string
  readonly id: string
  readonly key: string
}

type Fold =
  | { readonly _tag: "value"; readonly value: unknown }
  | { readonly _tag: "result"; readonly step: number }
  | { readonly _tag: "map"; readonly f: (a: any) => unknown }
  | { readonly _tag: "collect"; readonly count: number; readonly names: ReadonlyArray<string> | undefined }
  | { readonly _tag: "second" }

/** @internal */
export interface Compiled {
  readonly program: Program
  readonly steps: ReadonlyArray<Instruct>
  readonly fold: ReadonlyArray<Fold>
}

const Base = function() {} as unknown as new() => { compiled: Compiled | undefined }
Base.prototype = Object.assign(
  Object.create(Effectable.Prototype<Effect.Effect<any, any, RedisService>>({
    label: "Atomic",
    evaluate(fiber) {
      return commit(
        this as unknown as AtomicNode,
        Context.get(fiber.context as Context.Context<RedisService>, RedisService)
      )
    }
  })),
  { [TypeId]: { _A: identity, _E: identity }, compiled: undefined }
)

/** @internal */
export class Succeed extends Base {
  readonly _tag = "Succeed"
  readonly value: unknown
  constructor(value: unknown) {
    super()
    this.value = value
  }
}

/** @internal */
export class Instruct extends Base implements Instruction {
  readonly _tag = "Instruct"
  readonly op: Op
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
  readonly place: Place
  /** for errors */
  readonly field: string
  /** gives a `Problem` where what is stored is of another kind */
  readonly decode: (result: any) => unknown

  constructor(
    op: Op,
    place: Place,
    spec: Spec,
    field: string,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown
  ) {
    super()
    this.op = op
    this.key = place.key
    this.spec = spec
    this.args = args
    this.place = place
    this.field = field
    this.decode = decode
  }
}

/** @internal */
export class Invalid extends Base {
  readonly _tag = "Invalid"
  readonly error: InvalidValue
  constructor(error: InvalidValue) {
    super()
    this.error = error
  }
}

/**
 * What needs an effect to become a program, such as the defaults of a new entity: run by the first commit, and kept.
 *
 * @internal
 */
export class Deferred extends Base {
  readonly _tag = "Deferred"
  readonly make: Effect.Effect<AtomicNode>
  resolved: AtomicNode | undefined = undefined
  constructor(make: Effect.Effect<AtomicNode>) {
    super()
    this.make = make
  }
}

/** @internal */
export class Mapped extends Base {
  readonly _tag = "Mapped"
  readonly self: AtomicNode
  readonly f: (a: any) => unknown
  constructor(self: AtomicNode, f: (a: any) => unknown) {
    super()
    this.self = self
    this.f = f
  }
}

/** @internal */
export class All extends Base {
  readonly _tag = "All"
  readonly items: ReadonlyArray<AtomicNode>
  readonly names: ReadonlyArray<string> | undefined
  constructor(items: ReadonlyArray<AtomicNode>, names: ReadonlyArray<string> | undefined) {
    super()
    this.items = items
    this.names = names
  }
}

/** @internal */
export class AndThen extends Base {
  readonly _tag = "AndThen"
  readonly self: AtomicNode
  readonly that: AtomicNode
  constructor(self: AtomicNode, that: AtomicNode) {
    super()
    this.self = self
    this.that = that
  }
}

/** @internal */
export type AtomicNode = Succeed | Instruct | Invalid | Deferred | Mapped | All | AndThen

const onlyResult: ReadonlyArray<Fold> = [{ _tag: "result", step: 0 }]
const second: Fold = { _tag: "second" }

const compile = (root: AtomicNode): Compiled | InvalidValue | ReadonlyArray<Deferred> => {
  if (root._tag === "Instruct") {
    const steps = [root]
    return { program: { instructions: steps, access: accessOf(steps) }, steps, fold: onlyResult }
  }
  const steps: Array<Instruct> = []
  const fold: Array<Fold> = []
  const pending: Array<Deferred> = []
  const work: Array<AtomicNode | Fold> = [root]
  while (work.length > 0) {
    const item = work.pop()!
    switch (item._tag) {
      case "Succeed":
        fold.push({ _tag: "value", value: item.value })
        break
      case "Instruct":
        fold.push({ _tag: "result", step: steps.push(item) - 1 })
        break
      case "Invalid":
        return item.error
      case "Deferred":
        if (item.resolved === undefined) pending.push(item)
        else work.push(item.resolved)
        break
      case "Mapped":
        work.push({ _tag: "map", f: item.f }, item.self)
        break
      case "AndThen":
        work.push(second, item.that, item.self)
        break
      case "All":
        work.push({ _tag: "collect", count: item.items.length, names: item.names })
        for (let i = item.items.length - 1; i >= 0; i--) work.push(item.items[i]!)
        break
      default:
        fold.push(item)
    }
  }
  if (pending.length > 0) return pending
  return { program: { instructions: steps, access: accessOf(steps) }, steps, fold }
}

/** The fields of an object, of which one may be called `__proto__`. */
const named = (names: ReadonlyArray<string>, values: ReadonlyArray<unknown>): object => {
  const out: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    if (name === "__proto__") {
      Object.defineProperty(out, name, { value: values[i], enumerable: true, configurable: true, writable: true })
    } else {
      out[name] = values[i]
    }
  }
  return out
}

const run = (fold: ReadonlyArray<Fold>, values: ReadonlyArray<unknown>): unknown => {
  const stack: Array<unknown> = []
  for (const item of fold) {
    switch (item._tag) {
      case "value":
        stack.push(item.value)
        break
      case "result":
        stack.push(values[item.step])
        break
      case "map":
        stack.push(item.f(stack.pop()))
        break
      case "second": {
        const value = stack.pop()
        stack[stack.length - 1] = value
        break
      }
      case "collect": {
        const items = stack.splice(stack.length - item.count, item.count)
        stack.push(item.names === undefined ? items : named(item.names, items))
      }
    }
  }
  return stack[0]
}

const siteOf = ({ field, place: { id, model } }: Instruct) => ({ model, id, field })

const wrongType = (step: Instruct, applied: boolean): RedisServiceError => {
  const { key, spec } = step
  return new RedisServiceError({
    reason: new WrongType({
      ...siteOf(step),
      key: !isEntitySpec(spec) && (spec.k === "list" || spec.at === true) ? `${key}:${spec.f}` : key,
      applied
    })
  })
}

const undecodable = (step: Instruct, problem: Problem, applied: boolean): EntityCorrupted | RedisServiceError => {
  const { field, key, op, place } = step
  return op === Op.read || op === Op.find
    ? new EntityCorrupted({
      model: place.model,
      id: place.id,
      field: problem.field === "" ? field : problem.field,
      key,
      issue: problem.issue,
      applied
    })
    : wrongType(step, applied)
}

const limitOf = (step: Instruct, bound: Extract<Failure, { readonly _tag: "bounds" }>["bound"]): number => {
  const spec = step.spec as FieldSpec
  const args = step.args
  switch (bound) {
    case "minimum":
      return spec.ge!
    case "exclusiveMinimum":
      return spec.gt!
    case "maximum":
      return spec.le!
    case "exclusiveMaximum":
      return spec.lt!
    case "minLength":
      return spec.minl!
    case "maxLength":
      return spec.maxl!
    case "atLeast":
      return args[args.length - 2] as number
    case "atMost":
      return args[args.length - 1] as number
  }
}

const errorOf = (step: Instruct, failure: Failure): unknown => {
  const { id, model } = step.place
  switch (failure._tag) {
    case "missing":
      return new EntityNotFound({ model, id })
    case "exists":
      return new EntityExists({ model, id })
    case "index":
      return new IndexOutOfRange({ ...siteOf(step), index: step.args[0] as number })
    case "bounds":
      return new OutOfBounds({ ...siteOf(step), bound: failure.bound, limit: limitOf(step, failure.bound) })
    case "arithmetic":
      return new ArithmeticError({ ...siteOf(step), reason: failure.reason })
    case "tooLarge":
      return new InvalidValue({ ...siteOf(step), issue: `Expected at most ${failure.limit} ${failure.what}` })
    case "type":
      return undecodable(step, new Problem("Expected an entity, found a key of another kind"), false)
    case "fail":
      return failure
  }
}

const settle = (compiled: Compiled, reply: Reply): Exit.Exit<any, any> => {
  const { fold, program, steps } = compiled
  if (reply._tag === "failed") return Exit.fail(errorOf(steps[reply.failure.step]!, reply.failure))
  const values: Array<unknown> = []
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!
    const value = step.decode(reply.results[i] as Result)
    if (value instanceof Problem) return Exit.fail(undecodable(step, value, program.access !== "read"))
    if (fold === onlyResult) return Exit.succeed(value)
    values.push(value)
  }
  return Exit.succeed(run(fold, values))
}

const resolve = (pending: ReadonlyArray<Deferred>): Effect.Effect<void> =>
  Effect.forEach(pending, (deferred) =>
    deferred.resolved === undefined
      ? Effect.map(deferred.make, (node) => {
        deferred.resolved ??= node
      })
      : Effect.void, { discard: true })

/** @internal */
export const commit = (self: AtomicNode, service: RedisService["Service"]): Effect.Effect<any, any> => {
  let compiled = self.compiled
  if (compiled === undefined) {
    const result = compile(self)
    if (result instanceof InvalidValue) return Exit.fail(result)
    if (!("program" in result)) return Effect.flatMap(resolve(result), () => commit(self, service))
    self.compiled = compiled = result
  }
  if (compiled.steps.length === 0) return Effect.sync(() => run(compiled.fold, []))
  return service.execute(compiled.program, (reply) => settle(compiled, reply))
}

/** @internal */
export const effect = (self: AtomicNode): Effect.Effect<any, any, RedisService> =>
  Effect.flatMap(RedisService, (service) => commit(self, service))
