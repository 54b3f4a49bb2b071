/**
 * The classes of nodes. Every node is an Effect: running it commits it as a program. The types of nodes are in `node.ts`, so that
 * the compiler and the decoder, which these classes need, do not need them.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import { identity } from "effect/Function"
import type { InvalidValue } from "../../DomainError.ts"
import { infoOf, type Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Spec } from "../instruction/spec.ts"
import { RedisService } from "../service.ts"
import { commit } from "./commit.ts"
import type { Compiled } from "./compile.ts"
import type * as Node from "./node.ts"
import type { AtomicNode, EntityRef, Step } from "./node.ts"

/** @internal */
export const TypeId = "~redlayer/Atomic"

/** @internal */
export const ConditionTypeId = "~redlayer/Condition"

const condition = { _E: identity }

/** A function instead of a class, because a class would not let Effect's prototype take the place of its own. */
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
export class Succeed extends Base implements Node.Succeed {
  readonly _tag = "Succeed"
  readonly value: unknown
  constructor(value: unknown) {
    super()
    this.value = value
  }
}

/** @internal */
export class Instruct extends Base implements Node.Instruct {
  readonly _tag = "Instruct"
  readonly op: Op
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
  readonly other:
    | { readonly key: string; readonly spec: Spec; readonly ref: EntityRef; readonly field: string }
    | undefined
  readonly ref: EntityRef
  readonly field: string
  readonly decode: (result: any) => unknown
  isTolerant = false
  readonly before: ReadonlyArray<Step> | undefined
  method: string | undefined = undefined

  constructor(
    op: Op,
    ref: EntityRef,
    spec: Spec,
    field: string,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: { readonly ref: EntityRef; readonly spec: Spec; readonly field: string },
    before?: ReadonlyArray<Step>
  ) {
    super()
    this.op = op
    this.key = ref.key
    this.spec = spec
    this.args = args
    this.other = other === undefined ? undefined : { ...other, key: other.ref.key }
    this.ref = ref
    this.field = field
    this.decode = decode
    this.before = before
  }

  get [ConditionTypeId](): object | undefined {
    return infoOf(this.op).isTest === true ? condition : undefined
  }
}

/** @internal */
export class Invalid extends Base implements Node.Invalid {
  readonly _tag = "Invalid"
  readonly [ConditionTypeId] = condition
  readonly error: InvalidValue
  constructor(error: InvalidValue) {
    super()
    this.error = error
  }
}

/** @internal */
export class Deferred extends Base implements Node.Deferred {
  readonly _tag = "Deferred"
  readonly make: Effect.Effect<AtomicNode>
  resolved: AtomicNode | undefined = undefined
  constructor(make: Effect.Effect<AtomicNode>) {
    super()
    this.make = make
  }
}

/** @internal */
export class Mapped extends Base implements Node.Mapped {
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
export class All extends Base implements Node.All {
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
export class AndThen extends Base implements Node.AndThen {
  readonly _tag = "AndThen"
  readonly self: AtomicNode
  readonly that: AtomicNode
  readonly isTap: boolean
  constructor(self: AtomicNode, that: AtomicNode, isTap: boolean) {
    super()
    this.self = self
    this.that = that
    this.isTap = isTap
  }
}

/** @internal */
export class Junction extends Base implements Node.Junction {
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
export class Not extends Base implements Node.Not {
  readonly _tag = "Not"
  readonly [ConditionTypeId] = condition
  readonly self: AtomicNode
  constructor(self: AtomicNode) {
    super()
    this.self = self
  }
}

/** @internal */
export class Guard extends Base implements Node.Guard {
  readonly _tag = "Guard"
  readonly condition: AtomicNode
  readonly observe: ReadonlyArray<Node.Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
  constructor(
    condition: AtomicNode,
    observe: ReadonlyArray<Node.Instruct>,
    raise: (observed: ReadonlyArray<unknown>) => unknown
  ) {
    super()
    this.condition = condition
    this.observe = observe
    this.raise = raise
  }
}

/** @internal */
export class When extends Base implements Node.When {
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
export class If extends Base implements Node.If {
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
export class OrElse extends Base implements Node.OrElse {
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
export class Ignore extends Base implements Node.Ignore {
  readonly _tag = "Ignore"
  readonly self: AtomicNode
  constructor(self: AtomicNode) {
    super()
    this.self = self
  }
}

/** @internal */
export class OrDie extends Base implements Node.OrDie {
  readonly _tag = "OrDie"
  readonly self: AtomicNode
  readonly tags: ReadonlySet<string>
  constructor(self: AtomicNode, tags: ReadonlySet<string>) {
    super()
    this.self = self
    this.tags = tags
  }
}
