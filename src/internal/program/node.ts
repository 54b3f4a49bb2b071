/**
 * The tree of a program before it is compiled: types only, so that the compiler, the decoder and the classes can share them.
 *
 * May import: text, instruction, the errors.
 * Must not know: how a node is made, compiled or run.
 * Invariant: a node is immutable, but for what its first commit keeps on it (`compiled`, `resolved`).
 */
import type * as Effect from "effect/Effect"
import type { InvalidValue } from "../../DomainError.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { Spec } from "../instruction/spec.ts"

/** The entity that an instruction works on. */
export interface EntityRef {
  readonly model: string
  readonly id: string
  readonly key: string
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
    | { readonly key: string; readonly spec: Spec; readonly place: EntityRef; readonly field: string }
    | undefined
  readonly place: EntityRef
  /** The field, for errors. */
  readonly field: string
  /** The method that the user called, for `explain`. */
  method: string
  /** Decodes the result. Returns a `Problem` if the stored text is not of the field's kind. */
  readonly decode: (result: any) => unknown
  /** Whether it reads an entity some of whose fields may be unreadable. */
  isTolerant: boolean
  /** The steps that put its operands into the queue. */
  readonly before: ReadonlyArray<Step> | undefined
}

/** A refusal that the client found: the program fails when it is committed. */
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

export interface Mapped {
  readonly _tag: "Mapped"
  readonly self: AtomicNode
  readonly f: (a: any) => unknown
}

export interface All {
  readonly _tag: "All"
  readonly items: ReadonlyArray<AtomicNode>
  /** The names of the record that the results become. Unset for a tuple or an array. */
  readonly names: ReadonlyArray<string> | undefined
}

export interface AndThen {
  readonly _tag: "AndThen"
  readonly self: AtomicNode
  readonly that: AtomicNode
  /** Whether the result is the first one, as in `tap`. */
  readonly isTap: boolean
}

/** A conjunction or disjunction of tests. It is a program that returns a boolean, too. */
export interface Junction {
  readonly _tag: "Junction"
  readonly isAnd: boolean
  readonly items: ReadonlyArray<AtomicNode>
}

export interface Not {
  readonly _tag: "Not"
  readonly self: AtomicNode
}

export interface Guard {
  readonly _tag: "Guard"
  readonly condition: AtomicNode
  readonly observe: ReadonlyArray<Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
}

export interface When {
  readonly _tag: "When"
  readonly condition: AtomicNode
  readonly self: AtomicNode
}

export interface If {
  readonly _tag: "If"
  readonly condition: AtomicNode
  readonly onTrue: AtomicNode
  readonly onFalse: AtomicNode
}

export interface OrElse {
  readonly _tag: "OrElse"
  readonly self: AtomicNode
  readonly that: AtomicNode
}

export interface Ignore {
  readonly _tag: "Ignore"
  readonly self: AtomicNode
}

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

/** A step of the flow, which works on no entity. The compiler makes it. */
export interface Control extends Instruction {
  readonly _tag: "Control"
  readonly args: Array<Argument>
  readonly place: EntityRef
  readonly field: string
  readonly method: string
  readonly isTolerant: boolean
  readonly other: undefined
  /** Of a guard: the instructions whose results it shows, and the error that it raises from them. */
  readonly observed: ReadonlyArray<Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown
  readonly decode: (result: Result) => unknown
}

export type Step = Instruct | Control
