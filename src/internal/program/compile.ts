/**
 * Compiles a tree into a flat list of instructions, and a fold in postfix order that computes the result from theirs. Both are
 * made and run by loops, so that no depth or length of a program can exhaust the call stack.
 */
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { InvalidValue } from "../../DomainError.ts"
import { infoOf, Op } from "../instruction/ops.ts"
import { accessOf, type Argument, type Program } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import { noSpec } from "../instruction/spec.ts"
import type * as Node from "./node.ts"
import type { AtomicNode, Deferred, Instruct, Step } from "./node.ts"

/** @internal */
export class Control implements Node.Control {
  readonly _tag = "Control"
  readonly op: Op
  readonly key = ""
  readonly spec = noSpec
  readonly args: Array<Argument>
  readonly other = undefined
  readonly ref = { model: "", id: "", key: "" }
  readonly field = ""
  readonly isTolerant = false
  readonly method: string | undefined
  readonly observed: ReadonlyArray<Node.Instruct>
  readonly raise: (observed: ReadonlyArray<unknown>) => unknown

  constructor(
    op: Op,
    args: Array<Argument>,
    method?: string,
    observed: ReadonlyArray<Node.Instruct> = [],
    raise: (observed: ReadonlyArray<unknown>) => unknown = () => undefined
  ) {
    this.op = op
    this.method = method
    this.args = args
    this.observed = observed
    this.raise = raise
  }

  decode(result: Result): unknown {
    return result === 1
  }
}

/**
 * One step of the fold, which works on a stack of values. `branch` continues at `to` if its step has jumped, and `goto` always
 * does.
 */
export type Fold =
  | { readonly _tag: "value"; readonly value: unknown }
  | { readonly _tag: "result"; readonly step: number }
  | { readonly _tag: "map"; readonly f: (a: any) => unknown }
  | { readonly _tag: "collect"; readonly count: number; readonly names: ReadonlyArray<string> | undefined }
  | { readonly _tag: "first" | "second" }
  | { readonly _tag: "branch"; readonly step: number; to: number }
  | { readonly _tag: "goto"; to: number }

/** Steps whose errors with these tags are defects. */
interface Fatal {
  readonly from: number
  /** The step after the last one. */
  to: number
  readonly tags: ReadonlySet<string>
}

/** @internal */
export interface Compiled {
  readonly program: Program
  readonly steps: ReadonlyArray<Step>
  readonly fold: ReadonlyArray<Fold>
  /** Whether one of its steps reads an entity whose model tolerates unreadable fields. */
  readonly isTolerant: boolean
  /** Whether one of its steps reads an index. */
  readonly readsIndex: boolean
  readonly fatal: ReadonlyArray<Fatal>
}

const noFatal: ReadonlyArray<Fatal> = []

const isTagged = (error: unknown, tags: ReadonlySet<string>): boolean =>
  Predicate.hasProperty(error, "_tag") && tags.has(error._tag as string)

/**
 * Returns the exit of a program that a step has stopped.
 *
 * @internal
 */
export const failAt = <E>({ fatal }: Compiled, step: number, error: E): Exit.Exit<never, E> =>
  fatal.some(({ from, tags, to }) => from <= step && step < to && isTagged(error, tags))
    ? Exit.die(error)
    : Exit.fail(error)

/**
 * The fold of a program of one step. The decoder recognizes it, and skips the stack.
 *
 * @internal
 */
export const onlyResult: ReadonlyArray<Fold> = [{ _tag: "result", step: 0 }]
const first: Fold = { _tag: "first" }
const second: Fold = { _tag: "second" }
const some: Fold = { _tag: "map", f: Option.some }
const nothing: Fold = { _tag: "value", value: undefined }
const none: Fold = { _tag: "value", value: Option.none() }

const compiled = (
  steps: ReadonlyArray<Step>,
  fold: ReadonlyArray<Fold>,
  fatal: ReadonlyArray<Fatal>
): Compiled => ({
  program: { instructions: steps, access: accessOf(steps) },
  steps,
  fold,
  isTolerant: steps.some((step) => step.isTolerant),
  readsIndex: steps.some((step) => infoOf(step.op).family === "index"),
  fatal
})

type Work = AtomicNode | Fold | (() => void)

class Compiler {
  readonly steps: Array<Step> = []
  readonly fold: Array<Fold> = []
  readonly pending: Array<Deferred> = []
  /** The work that is left. The next item is the last one. */
  readonly work: Array<Work> = []
  refusal: Exit.Exit<never, InvalidValue> | undefined
  readonly fatal: Array<Fatal> = []
  /** The tags that are defects for the node that is compiled. */
  readonly tags: Array<ReadonlySet<string>> = []

  refuse(error: InvalidValue): void {
    this.refusal ??= this.tags.some((tags) => isTagged(error, tags)) ? Exit.die(error) : Exit.fail(error)
  }

  /** Does the items next, in this order, before all other work. */
  next(...items: ReadonlyArray<Work>): void {
    this.nextAll(items)
  }

  /** The same for an array of any length, because a call takes a limited number of arguments. */
  nextAll(items: ReadonlyArray<Work>): void {
    for (let i = items.length - 1; i >= 0; i--) this.work.push(items[i]!)
  }

  /** Adds an instruction after the steps of its operands. Returns its index. */
  instruct(node: Instruct): number {
    for (const step of node.before ?? []) this.steps.push(step)
    return this.steps.push(node) - 1
  }

  /** Adds a step of the flow. Returns its index. */
  control(op: Op, args: Array<Argument> = []): number {
    return this.steps.push(new Control(op, args)) - 1
  }

  /** Makes the target of a jump the next step to be added. */
  land(step: number): void {
    ;(this.steps[step] as Control).args[0] = this.steps.length - step - 1
  }

  /** Compiles a test that sets the flag. It adds nothing to the fold. */
  test(node: AtomicNode): void {
    switch (node._tag) {
      case "Instruct":
        this.instruct(node)
        return
      case "Junction": {
        if (node.items.length === 0) {
          // makes the flag true or false, whichever it was
          this.control(node.isAnd ? Op.jumpIf : Op.jumpUnless, [1])
          this.control(Op.not)
          return
        }
        const jumps: Array<number> = []
        const op = node.isAnd ? Op.jumpUnless : Op.jumpIf
        this.work.push(() => jumps.forEach((jump) => this.land(jump)))
        this.nextAll(node.items.flatMap((item, i) => [
          ...(i === 0 ? [] : [() => void jumps.push(this.control(op, [0]))]),
          () => this.test(item)
        ]))
        return
      }
      case "Not":
        this.next(() => this.test(node.self), () => void this.control(Op.not))
        return
      case "Invalid":
        this.refuse(node.error)
    }
  }

  /** Compiles two alternatives. The result is the one of `onFalse` if the step that `begin` adds has jumped. */
  choose(
    begin: () => number,
    onTrue: ReadonlyArray<AtomicNode | Fold>,
    end: () => number | undefined,
    onFalse: ReadonlyArray<AtomicNode | Fold>
  ): void {
    const branch = { _tag: "branch", step: 0, to: 0 } as { _tag: "branch"; step: number; to: number }
    const goto: Fold = { _tag: "goto", to: 0 }
    let jump: number | undefined
    this.next(
      () => {
        branch.step = begin()
        this.fold.push(branch)
      },
      ...onTrue,
      () => {
        jump = end()
        this.fold.push(goto)
        this.land(branch.step)
        branch.to = this.fold.length
      },
      ...onFalse,
      () => {
        if (jump !== undefined) this.land(jump)
        goto.to = this.fold.length
      }
    )
  }

  /** Compiles a node that adds its result to the fold. */
  node(node: AtomicNode): void {
    switch (node._tag) {
      case "Succeed":
        this.fold.push({ _tag: "value", value: node.value })
        return
      case "Instruct":
        this.fold.push({ _tag: "result", step: this.instruct(node) })
        return
      case "Invalid":
        this.refuse(node.error)
        return
      case "Deferred":
        if (node.resolved === undefined) this.pending.push(node)
        else this.work.push(node.resolved)
        return
      case "Mapped":
        return this.next(node.self, { _tag: "map", f: node.f })
      case "AndThen":
        return this.next(node.self, node.that, node.isTap ? first : second)
      case "All":
        this.work.push({ _tag: "collect", count: node.items.length, names: node.names })
        return this.nextAll(node.items)
      case "Junction":
      case "Not":
        return this.next(
          () => this.test(node),
          () => void this.fold.push({ _tag: "result", step: this.control(Op.flag) })
        )
      case "Guard": {
        const { observe, raise } = node
        return this.next(() => this.test(node.condition), () => {
          const jump = this.control(Op.jumpIf, [0])
          for (const step of observe) this.instruct(step)
          this.steps.push(new Control(Op.fail, [0, observe.length], undefined, observe, raise))
          this.land(jump)
        }, nothing)
      }
      case "When":
        return this.next(
          () => this.test(node.condition),
          () => this.choose(() => this.control(Op.jumpUnless, [0]), [node.self, some], () => undefined, [none])
        )
      case "If":
        return this.next(() => this.test(node.condition), () =>
          this.choose(
            () => this.control(Op.jumpUnless, [0]),
            [node.onTrue],
            () => this.control(Op.jump, [0]),
            [node.onFalse]
          ))
      case "OrElse":
        return this.choose(
          () => this.control(Op.attempt, [0, 1]),
          [node.self],
          () => this.control(Op.endAttempt, [0]),
          [node.that]
        )
      case "Ignore":
        return this.choose(
          () => this.control(Op.attempt, [0, 0]),
          [node.self, some],
          () => this.control(Op.endAttempt, [0]),
          [none]
        )
      case "OrDie": {
        const fatal = { from: this.steps.length, to: 0, tags: node.tags }
        this.fatal.push(fatal)
        this.tags.push(node.tags)
        return this.next(node.self, () => {
          fatal.to = this.steps.length
          this.tags.pop()
        })
      }
    }
  }

  run(root: AtomicNode): Compiled | Exit.Exit<never, InvalidValue> | ReadonlyArray<Deferred> {
    this.work.push(root)
    while (this.work.length > 0 && this.refusal === undefined) {
      const item = this.work.pop()!
      if (typeof item === "function") item()
      else if (isFold(item)) this.fold.push(item)
      else this.node(item)
    }
    return this.refusal ?? (this.pending.length > 0 ? this.pending : compiled(this.steps, this.fold, this.fatal))
  }
}

const folds: ReadonlySet<string> = new Set<Fold["_tag"]>([
  "value",
  "result",
  "map",
  "collect",
  "first",
  "second",
  "branch",
  "goto"
])

const isFold = (item: AtomicNode | Fold): item is Fold => folds.has(item._tag)

/**
 * Returns the compiled program; or the exit of the first refusal in it; or the nodes that must be resolved before it can be compiled.
 *
 * @internal
 */
export const compile = (root: AtomicNode): Compiled | Exit.Exit<never, InvalidValue> | ReadonlyArray<Deferred> =>
  root._tag === "Instruct" && root.before === undefined
    ? compileSingle(root)
    : new Compiler().run(root)

const compileSingle = (root: Instruct): Compiled => {
  const steps = [root]
  return {
    program: { instructions: steps, access: accessOf(steps) },
    steps,
    fold: onlyResult,
    isTolerant: root.isTolerant,
    readsIndex: infoOf(root.op).family === "index",
    fatal: noFatal
  }
}
