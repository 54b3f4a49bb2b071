/**
 * Planted faults of the flow of a program, of undo and of operands.
 */
import { Comparison, Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import { type FieldSpec, isEntitySpec } from "../../src/internal/instruction/spec.ts"
import { Flow } from "../../src/internal/memory/flow.ts"
import { Transaction } from "../../src/internal/memory/transaction.ts"
import type { Fault } from "./compareLayers.ts"

type Named = readonly [wrong: string, fault: Fault]

const on = (op: Op, change: (self: Instruction) => Instruction): Fault => ({
  op,
  instruction: (self) => self.op === op ? change(self) : self
})

const withArgs = (op: Op, change: (args: Instruction["args"]) => Instruction["args"]): Fault =>
  on(op, (self) => ({ ...self, args: change(self.args) }))

const further = (op: Op, by: number): Fault =>
  withArgs(op, ([distance, ...rest]) => [Math.max(0, Number(distance) + by), ...rest])

/** Replaces a method while the interpreter runs. Private fields are read as `this["name"]`, which the compiler checks. */
const method = <Self, Name extends keyof Self>(
  prototype: Self,
  name: Name,
  make: (original: Self[Name]) => Self[Name]
): Fault => ({
  around: (run) => {
    const original = prototype[name]
    prototype[name] = make(original)
    try {
      return run()
    } finally {
      prototype[name] = original
    }
  }
})

/** Replaces one comparison of tests by another. */
const comparing = (from: number, to: number): Fault => ({
  instruction: (self) => {
    if (self.op !== Op.compare && self.op !== Op.compareSize) return self
    const at = self.op === Op.compare && !isEntitySpec(self.spec) && self.spec.itemOf !== undefined ? 1 : 0
    return self.args[at] === from ? { ...self, args: self.args.map((arg, i) => i === at ? to : arg) } : self
  }
})

const unbounded = (
  { minimum: _, exclusiveMinimum: _a, maximum: _b, exclusiveMaximum: _c, maxLength: _d, minLength: _e, ...spec }:
    FieldSpec
): FieldSpec => spec

/** Changes the operand queue before an instruction. */
const shuffled = (op: Op, change: (operands: Flow["operands"]) => void): Fault =>
  method(Flow.prototype, "control", (original) =>
    function(this: Flow, given, ...rest) {
      if (given === op) change(this["operands"])
      return original.call(this, given, ...rest)
    })

/** Changes the operand queue after an instruction. */
const shuffledAfter = (op: Op, change: (operands: Flow["operands"]) => void): Fault =>
  method(Flow.prototype, "control", (original) =>
    function(this: Flow, given, ...rest) {
      const result = original.call(this, given, ...rest)
      if (given === op) change(this["operands"])
      return result
    })

const errors = "EntityNotFound EntityExists IndexOutOfRange OutOfBounds ArithmeticError".split(" ")

export const flowFaults: ReadonlyArray<Named> = [
  ["a jump goes one too far", further(Op.jumpUnless, 1)],
  ["a jump goes not far enough", further(Op.jump, -1)],
  ["the flag is read the wrong way", on(Op.jumpIf, (self) => ({ ...self, op: Op.jumpUnless }))],
  ["`not` is forgotten", on(Op.not, (self) => ({ ...self, op: Op.flag }))],
  ["what succeeds is followed by its alternative", withArgs(Op.endAttempt, () => [0])],
  ["the alternative is passed over", further(Op.attempt, 1)],
  ["orElse catches only what is missing", withArgs(Op.attempt, ([distance]) => [distance!, 0])],
  ["ignoreMissing catches all", withArgs(Op.attempt, ([distance]) => [distance!, 1])],
  ["orDie leaves out its last operation", {
    compiled: (self) => ({ ...self, fatal: self.fatal.map((part) => ({ ...part, to: part.to - 1 })) })
  }],
  ["orDie takes all errors", {
    compiled: (self) => ({ ...self, fatal: self.fatal.map((part) => ({ ...part, tags: new Set(errors) })) })
  }],
  [
    "a stored value of another type is caught",
    method(Flow.prototype, "catchFailure", (original) =>
      function(this: Flow, failure) {
        return original.call(this, failure._tag === "type" ? { ...failure, _tag: "index" } : failure)
      })
  ],
  [
    "what fails is not undone",
    method(Transaction.prototype, "undo", (original) =>
      function(this: Transaction, ...journalLength) {
        if (journalLength.length === 0) original.call(this)
      })
  ],
  [
    "what fails undoes all before it",
    method(Transaction.prototype, "undo", (original) =>
      function(this: Transaction) {
        original.call(this, 0)
      })
  ],
  [
    "an inner part ends the outer one",
    method(Flow.prototype, "control", (original) =>
      function(this: Flow, op, ...rest) {
        if (op === Op.endAttempt) this["attempts"].reverse()
        const result = original.call(this, op, ...rest)
        if (op === Op.endAttempt) this["attempts"].reverse()
        return result
      })
  ],
  [
    "operands outlive what failed",
    method(Flow.prototype, "catchFailure", (original) =>
      function(this: Flow, failure) {
        const queued = [...this["operands"]]
        const result = original.call(this, failure)
        this["operands"].push(...queued)
        return result
      })
  ],
  [
    "has doesn't decide",
    method(Flow.prototype, "observe", (original) =>
      function(this: Flow, op, result) {
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
    method(Flow.prototype, "fill", (original) =>
      function(this: Flow, instruction) {
        this["operands"].reverse()
        const filled = original.call(this, instruction)
        this["operands"].reverse()
        return filled
      })
  ],
  [
    "the operands of an operand are swapped",
    shuffled(Op.combine, (operands) => operands.push(...operands.splice(-2).reverse()))
  ],
  [
    "the server's time is an hour behind",
    shuffledAfter(Op.now, (operands) => operands.push(Number(operands.pop()) - 3_600_000))
  ],
  [
    "a number is encoded as another",
    shuffled(Op.encode, (operands) => {
      const last = operands.pop()!
      operands.push(typeof last === "number" ? last + 1 : `${last}x`)
    })
  ],
  [
    "a score, a rank or a count is compared as if it were missing",
    withArgs(Op.compareResult, ([, comparison, expected]) => [0, comparison!, expected!])
  ],
  [
    "a result is loaded as its default",
    withArgs(Op.loadResult, ([distance, ifMissing]) => ifMissing === undefined ? [distance!] : [0, ifMissing])
  ],
  [
    "a default of a result is one more",
    withArgs(
      Op.loadResult,
      ([distance, ifMissing]) => ifMissing === undefined ? [distance!] : [distance!, Number(ifMissing) + 1]
    )
  ],
  ["minus is plus", withArgs(Op.combine, ([op, ...rest]) => [op === -1 ? Op.increment : op!, ...rest])],
  [
    "a value from another field breaks bounds",
    on(Op.assign, (self) => isEntitySpec(self.spec) ? self : { ...self, spec: unbounded(self.spec) })
  ],
  [
    "an absent item has no default",
    on(Op.load, (self) => {
      if (isEntitySpec(self.spec) || self.spec.itemOf !== "list") return self
      const { default: _, ...spec } = self.spec
      return { ...self, spec }
    })
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
