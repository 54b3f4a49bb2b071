/**
 * What a program is before it runs: a tree of instructions and of what becomes of their results.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import { InvalidValue, top } from "../../DomainError.ts"
import { forEachKey, isPlaceless } from "../instruction/keys.ts"
import { infoOf, methodOf, type Op } from "../instruction/ops.ts"
import { accessOf, type Argument, type Instruction } from "../instruction/program.ts"
import { noFields, type Spec } from "../instruction/spec.ts"
import { toMilliseconds } from "../schema/model.ts"
import { listen, type Tolerated } from "../schema/tolerated.ts"
import { RedisService } from "../service.ts"
import { compile, type Compiled, run, type Step } from "./compile.ts"
import { settle } from "./decode.ts"

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

/** @internal */
export const ConditionTypeId = "~redlayer/Condition"

const condition = { _E: identity }

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
  readonly other:
    | { readonly key: string; readonly spec: Spec; readonly place: Place; readonly field: string }
    | undefined
  readonly place: Place
  /** for errors */
  readonly field: string
  /** gives a `Problem` where what is stored is of another kind */
  readonly decode: (result: any) => unknown
  /** whether it reads an entity some of whose fields may be unreadable */
  isTolerant = false
  /** what puts its operands into the queue */
  readonly before: ReadonlyArray<Step> | undefined

  constructor(
    op: Op,
    place: Place,
    spec: Spec,
    field: string,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: { readonly place: Place; readonly spec: Spec; readonly field: string },
    before?: ReadonlyArray<Step>
  ) {
    super()
    this.op = op
    this.key = place.key
    this.spec = spec
    this.args = args
    this.other = other === undefined ? undefined : { ...other, key: other.place.key }
    this.place = place
    this.field = field
    this.decode = decode
    this.before = before
  }

  get [ConditionTypeId](): object | undefined {
    return infoOf(this.op).isTest === true ? condition : undefined
  }
}

/** @internal */
export class Invalid extends Base {
  readonly _tag = "Invalid"
  readonly [ConditionTypeId] = condition
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
  /** whether it gives the result of the first */
  readonly isTap: boolean
  constructor(self: AtomicNode, that: AtomicNode, isTap: boolean) {
    super()
    this.self = self
    this.that = that
    this.isTap = isTap
  }
}

/**
 * Conditions are tests, and these of them; each is a program that gives a boolean too.
 *
 * @internal
 */
export class Junction extends Base {
  readonly _tag = "Junction"
  readonly [ConditionTypeId] = condition
  readonly isAnd: boolean
  readonly items: ReadonlyArray<AtomicNode>
  constructor(isAnd: boolean, items: ReadonlyArray<AtomicNode>) {
    super()
    this.isAnd = isAnd
    this.items = items
  }
}

/** @internal */
export class Not extends Base {
  readonly _tag = "Not"
  readonly [ConditionTypeId] = condition
  readonly self: AtomicNode
  constructor(self: AtomicNode) {
    super()
    this.self = self
  }
}

/** @internal */
export class Guard extends Base {
  readonly _tag = "Guard"
  readonly condition: AtomicNode
  readonly observe: ReadonlyArray<Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
  constructor(
    condition: AtomicNode,
    observe: ReadonlyArray<Instruct>,
    raise: (observed: ReadonlyArray<unknown>) => unknown
  ) {
    super()
    this.condition = condition
    this.observe = observe
    this.raise = raise
  }
}

/** @internal */
export class When extends Base {
  readonly _tag = "When"
  readonly condition: AtomicNode
  readonly self: AtomicNode
  constructor(condition: AtomicNode, self: AtomicNode) {
    super()
    this.condition = condition
    this.self = self
  }
}

/** @internal */
export class If extends Base {
  readonly _tag = "If"
  readonly condition: AtomicNode
  readonly onTrue: AtomicNode
  readonly onFalse: AtomicNode
  constructor(condition: AtomicNode, onTrue: AtomicNode, onFalse: AtomicNode) {
    super()
    this.condition = condition
    this.onTrue = onTrue
    this.onFalse = onFalse
  }
}

/** @internal */
export class OrElse extends Base {
  readonly _tag = "OrElse"
  readonly self: AtomicNode
  readonly that: AtomicNode
  constructor(self: AtomicNode, that: AtomicNode) {
    super()
    this.self = self
    this.that = that
  }
}

/** @internal */
export class Ignore extends Base {
  readonly _tag = "Ignore"
  readonly self: AtomicNode
  constructor(self: AtomicNode) {
    super()
    this.self = self
  }
}

/** @internal */
export type AtomicNode =
  | Succeed
  | Instruct
  | Invalid
  | Deferred
  | Mapped
  | All
  | AndThen
  | Junction
  | Not
  | Guard
  | When
  | If
  | OrElse
  | Ignore

const resolve = (pending: ReadonlyArray<Deferred>): Effect.Effect<void> =>
  Effect.forEach(pending, (deferred) =>
    deferred.resolved === undefined
      ? Effect.map(deferred.make, (node) => {
        deferred.resolved ??= node
      })
      : Effect.void, { discard: true })

/** The program as it is sent, kept for the next commit; or why there is none, or what it needs first. */
const compiledOf = (self: AtomicNode): Compiled | InvalidValue | ReadonlyArray<Deferred> => {
  if (self.compiled !== undefined) return self.compiled
  const result = compile(self)
  if ("program" in result) self.compiled = result
  return result
}

/** @internal */
export const commit = (self: AtomicNode, service: RedisService["Service"]): Effect.Effect<any, any> => {
  const compiled = self.compiled ?? compiledOf(self)
  if (compiled instanceof InvalidValue) return Exit.fail(compiled)
  if (!("program" in compiled)) return Effect.flatMap(resolve(compiled), () => commit(self, service))
  return commitCompiled(compiled, service)
}

const commitCompiled = (compiled: Compiled, service: RedisService["Service"]): Effect.Effect<any, any> => {
  if (compiled.steps.length === 0) return Effect.sync(() => run(compiled, []))
  if (!compiled.isTolerant) return service.execute(compiled.program, (reply) => settle(compiled, reply))
  return Effect.suspend(() => {
    let heard: ReadonlyArray<Tolerated> = []
    const executed = service.execute(compiled.program, (reply) => {
      const [exit, tolerated] = listen(() => settle(compiled, reply))
      heard = tolerated
      return exit
    })
    return Effect.flatMap(Effect.exit(executed), (exit) => Effect.andThen(log(heard), exit))
  })
}

/** @internal */
export interface CommitOptions {
  readonly idempotencyKey: string
  readonly keepFor: Duration.Input
}

const longestKey = 512

/** What tells a program from others. */
const identityOf = (steps: ReadonlyArray<Step>): string =>
  JSON.stringify(
    steps.map(({ args, key, op, other, spec }) => [op, key, spec, args, other && [other.key, other.spec]])
  )

/**
 * Commits a program under a key of its caller, once.
 *
 * @internal
 */
export const commitOnce = (
  self: AtomicNode,
  { idempotencyKey, keepFor }: CommitOptions,
  service: RedisService["Service"]
): Effect.Effect<any, any> => {
  const compiled = compiledOf(self)
  if (compiled instanceof InvalidValue) return Exit.fail(compiled)
  if (!("program" in compiled)) {
    return Effect.flatMap(resolve(compiled), () => commitOnce(self, { idempotencyKey, keepFor }, service))
  }
  const millis = toMilliseconds(keepFor)
  const isKey = idempotencyKey !== "" && idempotencyKey.length <= longestKey && idempotencyKey.isWellFormed()
  if (!isKey || millis === undefined) {
    const { id = "", model = "" } = compiled.steps.find(({ op }) => !isPlaceless(op))?.place ?? {}
    const issue = isKey
      ? "Expected a time to keep the result that is finite, and at least 1 ms"
      : `Expected an idempotency key of 1 to ${longestKey} characters`
    return Exit.fail(new InvalidValue({ model, id, field: "", issue }))
  }
  const { program, steps } = compiled
  return commitCompiled({
    ...compiled,
    program: {
      instructions: program.instructions,
      // what it gives is written
      access: program.access === "read" ? "allowOom" : program.access,
      idempotency: { key: idempotencyKey, keepFor: millis, identity: identityOf(steps) }
    }
  }, service)
}

/** What was unreadable and tolerated is said in the log, without a value or an id. */
const log = (tolerated: ReadonlyArray<Tolerated>): Effect.Effect<void> =>
  Effect.forEach(
    tolerated,
    ({ model, problem }) =>
      Effect.logWarning("A stored field can't be read, and is taken as its default").pipe(
        Effect.annotateLogs({ model, field: top(problem.field), issue: problem.issue })
      ),
    { discard: true }
  )

/**
 * Whether it is one instruction that only reads, or one that is refused.
 *
 * @internal
 */
export const isRead = (self: AtomicNode): boolean =>
  self._tag === "Invalid" ||
  self._tag === "Instruct" && accessOf([{ op: self.op, key: "", spec: noFields, args: [] }]) === "read"

/** The program, once what it needs is there. */
const prepare = (self: AtomicNode): Effect.Effect<Compiled, InvalidValue> =>
  Effect.suspend(() => {
    const compiled = compiledOf(self)
    if (compiled instanceof InvalidValue) return Effect.fail(compiled)
    return "program" in compiled
      ? Effect.succeed(compiled)
      : Effect.flatMap(resolve(compiled), () => prepare(self))
  })

/**
 * Commits programs that are independent of each other, at once: each has an exit of its own.
 *
 * @internal
 */
export const commitAll = Effect.fnUntraced(function*(
  nodes: ReadonlyArray<AtomicNode>,
  service: RedisService["Service"]
): Effect.fn.Return<ReadonlyArray<Exit.Exit<any, any>>> {
  const exits: Array<Exit.Exit<any, any>> = []
  const sent: Array<{ readonly index: number; readonly compiled: Compiled }> = []
  for (const [index, node] of nodes.entries()) {
    const prepared = yield* Effect.exit(prepare(node))
    if (Exit.isFailure(prepared)) exits[index] = prepared
    else if (prepared.value.steps.length > 0) sent.push({ index, compiled: prepared.value })
    else exits[index] = yield* Effect.exit(Effect.sync(() => run(prepared.value, [])))
  }
  const heard: Array<Tolerated> = []
  const results = yield* service.executeAll(sent.map(({ compiled }) => compiled.program), (reply, i) => {
    const { compiled } = sent[i]!
    // a defect of one is its own
    try {
      if (!compiled.isTolerant) return settle(compiled, reply)
      const [exit, tolerated] = listen(() => settle(compiled, reply))
      heard.push(...tolerated)
      return exit
    } catch (defect) {
      return Exit.die(defect)
    }
  })
  yield* log(heard)
  for (const [i, { index }] of sent.entries()) exits[index] = results[i]!
  return exits
})

/** @internal */
export const effect = (self: AtomicNode, options?: CommitOptions): Effect.Effect<any, any, RedisService> =>
  Effect.flatMap(
    RedisService,
    (service) => options === undefined ? commit(self, service) : commitOnce(self, options, service)
  )

/** @internal */
export const pipeline = (nodes: ReadonlyArray<AtomicNode>): Effect.Effect<any, never, RedisService> =>
  Effect.flatMap(RedisService, (service) => commitAll(nodes, service))

/** @internal */
export const explain = (self: AtomicNode): Effect.Effect<unknown, InvalidValue> =>
  Effect.map(prepare(self), (compiled) => {
    const keys = new Set<string>()
    for (const step of compiled.steps) forEachKey(step, (key) => keys.add(key))
    return {
      roundTrips: compiled.steps.length === 0 ? 0 : 1,
      access: compiled.program.access,
      keys: [...keys],
      instructions: compiled.steps.map(({ field, op, place: { id, model } }) => ({
        operation: methodOf(op),
        model,
        id,
        field
      }))
    }
  })
