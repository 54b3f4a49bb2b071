/**
 * Faults of what decides where a program goes on, of what is undone, and of operands.
 */
import { Comparison, Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import { type FieldSpec, isEntitySpec } from "../../src/internal/instruction/spec.ts"
import { Flow } from "../../src/internal/memory/flow.ts"
import { Transaction } from "../../src/internal/memory/transaction.ts"
import type { Fault } from "./compareLayers.ts"

type Named = readonly [wrong: string, fault: Fault]

const on = (op: Op, change: (self: Instruction) => Instruction): Fault => ({
  instruction: (self) => self.op === op ? change(self) : self
})

const withArgs = (op: Op, change: (args: Instruction["args"]) => Instruction["args"]): Fault =>
  on(op, (self) => ({ ...self, args: change(self.args) }))

const further = (op: Op, by: number): Fault =>
  withArgs(op, ([distance, ...rest]) => [Math.max(0, Number(distance) + by), ...rest])

/** As long as the interpreter runs, a method is another. */
const method = (
  prototype: object,
  name: string,
  make: (original: (...args: ReadonlyArray<any>) => any) => (this: any, ...args: ReadonlyArray<any>) => unknown
): Fault => ({
  around: (run) => {
    const methods = prototype as Record<string, any>
    const original = methods[name]
    methods[name] = make(original)
    try {
      return run()
    } finally {
      methods[name] = original
    }
  }
})

/** Where the comparison stands among the arguments of a test. */
const comparing = (from: number, to: number): Fault => ({
  instruction: (self) => {
    if (self.op !== Op.compare && self.op !== Op.compareSize) return self
    const at = self.op === Op.compare && "itemOf" in self.spec && self.spec.itemOf !== undefined ? 1 : 0
    return self.args[at] === from ? { ...self, args: self.args.map((arg, i) => i === at ? to : arg) } : self
  }
})

const unbounded = (
  { minimum: _, exclusiveMinimum: _a, maximum: _b, exclusiveMaximum: _c, maxLength: _d, minLength: _e, ...spec }:
    FieldSpec
): FieldSpec => spec

/** The operands that wait, in another order. */
const shuffled = (op: Op, change: (operands: Array<unknown>) => void): Fault =>
  method(Flow.prototype, "control", (original) =>
    function(given, args) {
      if (given === op) change(this.operands)
      return original.call(this, given, args)
    })

export const flowFaults: ReadonlyArray<Named> = [
  ["a jump goes one too far", further(Op.jumpUnless, 1)],
  ["a jump goes not far enough", further(Op.jump, -1)],
  ["the flag is read the wrong way", on(Op.jumpIf, (self) => ({ ...self, op: Op.jumpUnless }))],
  ["`not` is forgotten", on(Op.not, (self) => ({ ...self, op: Op.flag }))],
  ["what succeeds is followed by its alternative", withArgs(Op.endAttempt, () => [0])],
  ["the alternative is passed over", further(Op.attempt, 1)],
  ["orElse catches only what is missing", withArgs(Op.attempt, ([distance]) => [distance!, 0])],
  ["ignoreMissing catches all", withArgs(Op.attempt, ([distance]) => [distance!, 1])],
  [
    "a stored value of another type is caught",
    method(Flow.prototype, "recover", (original) =>
      function(failure) {
        return original.call(this, failure._tag === "type" ? { ...failure, _tag: "index" } : failure)
      })
  ],
  [
    "what fails is not undone",
    method(Transaction.prototype, "undo", (original) =>
      function(...mark) {
        if (mark.length === 0) original.call(this)
      })
  ],
  [
    "what fails undoes all before it",
    method(Transaction.prototype, "undo", (original) =>
      function() {
        original.call(this, 0)
      })
  ],
  [
    "an inner part ends the outer one",
    method(Flow.prototype, "control", (original) =>
      function(op, args) {
        if (op === Op.endAttempt) this.attempts.reverse()
        const result = original.call(this, op, args)
        if (op === Op.endAttempt) this.attempts.reverse()
        return result
      })
  ],
  [
    "operands outlive what failed",
    method(Flow.prototype, "recover", (original) =>
      function(failure) {
        const waiting = [...this.operands]
        const result = original.call(this, failure)
        this.operands.push(...waiting)
        return result
      })
  ],
  [
    "has doesn't decide",
    method(Flow.prototype, "keep", (original) =>
      function(op, result) {
        return op === Op.has ? result : original.call(this, op, result)
      })
  ],
  ["lt is lte", comparing(Comparison.lt, Comparison.lte)],
  ["gte is gt", comparing(Comparison.gte, Comparison.gt)],
  ["neq is eq", comparing(Comparison.neq, Comparison.eq)],
  ["in looks at all but the last", {
    instruction: (self) => self.op === Op.oneOf ? { ...self, args: self.args.slice(0, -1) } : self
  }],
  [
    "the last operand is taken first",
    method(Flow.prototype, "prepare", (original) =>
      function(instruction) {
        this.operands.reverse()
        const prepared = original.call(this, instruction)
        this.operands.reverse()
        return prepared
      })
  ],
  [
    "the operands of an operand are swapped",
    shuffled(Op.combine, (operands) => operands.push(...operands.splice(-2).reverse()))
  ],
  ["minus is plus", withArgs(Op.combine, ([op, ...rest]) => [op === -1 ? Op.increment : op!, ...rest])],
  [
    "a value from another field breaks bounds",
    on(Op.assign, (self) => isEntitySpec(self.spec) ? self : { ...self, spec: unbounded(self.spec) })
  ],
  [
    "an absent operand is its default's",
    on(
      Op.load,
      (self) => isEntitySpec(self.spec) ? self : { ...self, spec: { ...self.spec, default: self.spec.default ?? "0" } }
    )
  ],
  [
    "a guard shows what it has not observed",
    {
      reply: (reply) =>
        reply._tag === "failed" && "observed" in reply.failure
          ? { ...reply, failure: { ...reply.failure, observed: [...reply.failure.observed].reverse() } }
          : reply
    }
  ],
  [
    "tests don't renew",
    {
      instruction: (self) => {
        if (self.op !== Op.compare && self.op !== Op.has || self.spec.expiry === undefined) return self
        const { expiry: _, ...spec } = self.spec
        return { ...self, spec: spec as Instruction["spec"] }
      }
    }
  ]
]
