/**
 * The tree of a program before it is compiled: types only, so that the compiler, the decoder and the classes can share them.
 *
 * May import: text, instruction, schema, service, the errors.
 * Must not know: handles, models, how a program travels, how an interpreter runs it.
 * Invariant: a node is immutable once it is built. Only its first commit adds to it: `compiled` and `resolved`.
 */
import type * as Effect from "effect/Effect"
import type { InvalidValue } from "../../DomainError.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { Spec } from "../instruction/spec.ts"
import type { Definition } from "../schema/registry.ts"

/** The entity that an instruction works on. */
export interface EntityRef {
  readonly model: string
  readonly id: string
  readonly key: string
  /** The model, for the check that the service has no other of its name. Unset if the entity has no model. */
  readonly definition?: Definition | undefined
}

/** Returns a constant. */
export interface Succeed {
  readonly _tag: "Succeed"
  readonly value: unknown
}

/** One instruction on an entity. */
export interface Instruct extends Instruction {
  readonly _tag: "Instruct"
  readonly other:
    | { readonly key: string; readonly spec: Spec; readonly ref: EntityRef; readonly field: string }
    | undefined
  readonly ref: EntityRef
  /** The field that errors name. */
  readonly field: string
  /** The method that the user called, for `explain`. Unset if the row of the instruction names it. */
  method: string | undefined
  /** Decodes the result. Returns a `Problem` if the stored text is not of the field's kind. */
  readonly decode: (result: any) => unknown
  /** Whether it reads an entity whose model tolerates unreadable fields. */
  isTolerant: boolean
  /** The steps that put its operands into the queue. Unset if it has none. */
  readonly before: ReadonlyArray<Step> | undefined
}

/** An operation that the client refuses. A program that contains one fails when it is committed, and nothing is sent. */
export interface Invalid {
  readonly _tag: "Invalid"
  readonly error: InvalidValue
}

/** A node that needs an effect first, such as the defaults of a new entity. The first commit runs it and keeps its result. */
export interface Deferred {
  readonly _tag: "Deferred"
  readonly make: Effect.Effect<AtomicNode>
  resolved: AtomicNode | undefined
}

/** Applies `f` to the result on the client. */
export interface Mapped {
  readonly _tag: "Mapped"
  readonly self: AtomicNode
  readonly f: (a: any) => unknown
}

/** Several programs in order. The result holds all results. */
export interface All {
  readonly _tag: "All"
  readonly items: ReadonlyArray<AtomicNode>
  /** The names of the record that the results become. Unset for a tuple or an array. */
  readonly names: ReadonlyArray<string> | undefined
}

/** Two programs in order. The result is one of theirs. */
export interface AndThen {
  readonly _tag: "AndThen"
  readonly self: AtomicNode
  readonly that: AtomicNode
  /** Whether the result is the first one, as in `tap`. */
  readonly isTap: boolean
}

/** A conjunction or disjunction of tests. As a program it returns a boolean. */
export interface Junction {
  readonly _tag: "Junction"
  readonly isAnd: boolean
  readonly items: ReadonlyArray<AtomicNode>
}

/** The negation of a test. As a program it returns a boolean. */
export interface Not {
  readonly _tag: "Not"
  readonly self: AtomicNode
}

/** Stops the whole program unless the condition is true. */
export interface Guard {
  readonly _tag: "Guard"
  readonly condition: AtomicNode
  /** The reads whose results `raise` receives. */
  readonly observe: ReadonlyArray<Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
}

/** Runs `self` if the condition is true. The result is an `Option`. */
export interface When {
  readonly _tag: "When"
  readonly condition: AtomicNode
  readonly self: AtomicNode
}

/** Runs one of two programs. */
export interface If {
  readonly _tag: "If"
  readonly condition: AtomicNode
  readonly onTrue: AtomicNode
  readonly onFalse: AtomicNode
}

/** Runs `that` if `self` fails. What `self` wrote is undone first. */
export interface OrElse {
  readonly _tag: "OrElse"
  readonly self: AtomicNode
  readonly that: AtomicNode
}

/** Undoes `self` and returns `Option.none` if an entity is missing. */
export interface Ignore {
  readonly _tag: "Ignore"
  readonly self: AtomicNode
}

/** Turns the errors of `self` with these tags into defects. */
export interface OrDie {
  readonly _tag: "OrDie"
  readonly self: AtomicNode
  readonly tags: ReadonlySet<string>
}

/** A node of the tree. Its class is in `atomic.ts`. */
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
  | OrDie

/** A step that works on no entity: a jump, an attempt, or arithmetic of operands. */
export interface Control extends Instruction {
  readonly _tag: "Control"
  readonly args: Array<Argument>
  readonly ref: EntityRef
  readonly field: string
  readonly method: string | undefined
  readonly isTolerant: boolean
  readonly other: undefined
  /** The reads that a guard observes, and the error that it makes of their results. */
  readonly observed: ReadonlyArray<Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
  readonly decode: (result: Result) => unknown
}

/** One instruction of a compiled program, with what decodes its result. */
export type Step = Instruct | Control
