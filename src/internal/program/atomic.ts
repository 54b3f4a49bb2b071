/**
 * What a program is before it runs: a tree of instructions and of what becomes of their results.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import { InvalidValue, top } from "../../DomainError.ts"
import { RedisService } from "../../RedisService.ts"
import { listen, type Tolerated } from "../schema/tolerated.ts"
import { compile, type Compiled, run } from "./compile.ts"
import type { Argument, Instruction, Op, Spec } from "./instruction.ts"
import { settle } from "./settle.ts"

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

  constructor(
    op: Op,
    place: Place,
    spec: Spec,
    field: string,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: { readonly place: Place; readonly spec: Spec; readonly field: string }
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
  if (compiled.steps.length === 0) return Effect.sync(() => run(compiled.fold, []))
  return compiled.isTolerant
    ? Effect.flatMap(
      service.execute(compiled.program, (reply) => Exit.succeed(listen(() => settle(compiled, reply)))),
      ([exit, tolerated]) => Effect.andThen(log(tolerated), exit)
    )
    : service.execute(compiled.program, (reply) => settle(compiled, reply))
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
    let compiled = compiledOf(node)
    while (!(compiled instanceof InvalidValue) && !("program" in compiled)) {
      yield* resolve(compiled)
      compiled = compiledOf(node)
    }
    if (compiled instanceof InvalidValue) exits[index] = Exit.fail(compiled)
    else if (compiled.steps.length === 0) exits[index] = yield* Effect.exit(Effect.sync(() => run(compiled.fold, [])))
    else sent.push({ index, compiled })
  }
  const heard: Array<Tolerated> = []
  const results = yield* service.executeAll(sent.map(({ compiled }) => compiled.program), (reply, i) => {
    const { compiled } = sent[i]!
    if (!compiled.isTolerant) return settle(compiled, reply)
    const [exit, tolerated] = listen(() => settle(compiled, reply))
    heard.push(...tolerated)
    return exit
  })
  yield* log(heard)
  for (const [i, { index }] of sent.entries()) exits[index] = results[i]!
  return exits
})

/** @internal */
export const effect = (self: AtomicNode): Effect.Effect<any, any, RedisService> =>
  Effect.flatMap(RedisService, (service) => commit(self, service))
