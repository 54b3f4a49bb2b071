/**
 * One of several processes that hold locks, or count under one, while they are killed or stopped.
 */
import { Cause, Effect, Exit, Fiber, Option, Schema } from "effect"
import { Atomic, Lock, Model, RedisService } from "redlayer"

export const Counter = Model.make("faults/Counter", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0))
}, { key: "id" })

/** The outcome of the work of a process that was stopped, as it saw it. */
export interface Stopped {
  /** of effects that were protected */
  readonly bodies: ReadonlyArray<string>
  readonly interrupted: number
  readonly checks: ReadonlyArray<string>
  /** of programs with a guard */
  readonly guarded: ReadonlyArray<string>
  /** of entities that were computed meanwhile, and can't be interrupted */
  readonly saves: ReadonlyArray<string>
}

/** `begun` under the lock, and then how it went. */
export type Told = "begun" | "acknowledged" | "unknown" | "refused" | { readonly unexpected: string }

const [url = "", mode = "", ...args] = process.argv.slice(2)

const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, i) => i)

process.setMaxListeners(0)
const heard = new Set<string>()
process.on("message", (message) => heard.add(String(message)))

const waitFor = (text: string) =>
  Effect.callback<void>((resume) => {
    if (heard.has(text)) return resume(Effect.void)
    const listener = (message: unknown) => {
      if (message !== text) return
      process.off("message", listener)
      resume(Effect.void)
    }
    process.on("message", listener)
  })

const tell = (message: unknown) =>
  Effect.callback<void>((resume) => {
    process.send!(message, () => resume(Effect.void))
  })

const describe = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const error: any = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return error?.reason?._tag ?? error?._tag ?? Cause.pretty(exit.cause)
}

const described = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.map(Effect.exit(self), describe)

const ofEach = <A, E, R>(count: number, f: (i: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(range(count), f, { concurrency: "unbounded" })

/** Holds locks until it is killed. */
const hold = Effect.gen(function*() {
  const [count = "", lease = ""] = args
  const held = yield* ofEach(Number(count), (i) => Lock.acquire(`held${i}`, { lease: Number(lease) }))
  yield* tell(held.map(({ token }) => token))
  return yield* Effect.never
}).pipe(Effect.scoped)

/** Waits for a lock until it is killed. */
const wait = Effect.gen(function*() {
  const [name = "", lease = ""] = args
  yield* Effect.forkChild(Lock.withLock(name, () => Effect.never, { lease: Number(lease), wait: "1 minute" }))
  yield* tell("connected")
  return yield* Effect.never
})

/** Has many waiters for a lock, and tells when all of them have held it. */
const crowd = Effect.gen(function*() {
  const [name = "", count = ""] = args
  const waiting = yield* Effect.forkChild(
    ofEach(Number(count), () => described(Lock.withLock(name, () => Effect.sleep(2), { wait: "1 minute" })))
  )
  yield* tell("connected")
  yield* tell(yield* Fiber.join(waiting))
})

/** Holds locks in the middle of three kinds of work, and continues on a signal. */
const stopped = Effect.gen(function*() {
  const count = Number(args[0])
  const options = { lease: Number(args[1]) }
  let interrupted = 0
  let holding = 0
  const begun = Effect.suspend(() => ++holding === 3 * count ? tell("holding") : Effect.void)
  const resumed = Effect.andThen(begun, waitFor("resumed"))
  const endless = Effect.andThen(begun, Effect.never).pipe(Effect.onInterrupt(() => Effect.sync(() => interrupted++)))
  const bodies = yield* Effect.forkChild(
    ofEach(count, (i) => described(Counter.withLock(`body${i}`, () => endless, options)))
  )
  const saves = yield* Effect.forkChild(ofEach(count, (i) =>
    described(Counter.withLock(
      `save${i}`,
      (counter) => Effect.uninterruptible(Effect.as(resumed, { ...counter, n: 999 })),
      options
    ))))
  const guarded = yield* Effect.forkChild(ofEach(count, (i) =>
    Effect.gen(function*() {
      const counter = Counter.ref(`guarded${i}`)
      const held = yield* Lock.acquire("", { on: counter, ...options })
      yield* resumed
      const check = yield* described(held.check)
      return [check, yield* described(Atomic.all([counter.n.set(999), held.guard]))] as const
    }).pipe(Effect.scoped)))
  const checked = yield* Fiber.join(guarded)
  yield* tell(
    {
      bodies: yield* Fiber.join(bodies),
      interrupted,
      checks: checked.map(([check]) => check),
      guarded: checked.map(([, program]) => program),
      saves: yield* Fiber.join(saves)
    } satisfies Stopped
  )
})

/** Counts under a lock, and tells each step. */
const count = Effect.gen(function*() {
  yield* Counter.get("all")
  yield* tell("connected")
  let hasBegun = false
  const round = Effect.gen(function*() {
    hasBegun = false
    const exit = yield* Effect.exit(
      Counter.withLock("all", (counter) =>
        Effect.gen(function*() {
          hasBegun = true
          yield* tell("begun" satisfies Told)
          return { ...counter, n: counter.n + 1 }
        }), { lease: Number(args[0]), wait: "30 seconds" })
    )
    yield* tell(toldOf(describe(exit)))
  })
  yield* Effect.whileLoop({ while: () => !heard.has("stop"), body: () => round, step: () => {} })
  yield* tell("over")
  return hasBegun
})

const toldOf = (outcome: string): Told => {
  switch (outcome) {
    case "Success":
      return "acknowledged"
    case "OutcomeUnknown":
      return "unknown"
    case "ConnectionUnavailable":
    case "LockLost":
    case "LockTimeout":
      return "refused"
    default:
      return { unexpected: outcome }
  }
}

/** Takes a lock again and again, until all together have taken it so often. */
const share = Effect.gen(function*() {
  const total = Number(args[0])
  const { n } = Counter.ref("all")
  yield* n.get()
  yield* tell("connected")
  yield* waitFor("go")
  let rounds = 0
  let last = 0
  const round = Lock.withLock("shared", () => n.increment(), { lease: "10 seconds", wait: "1 minute" }).pipe(
    Effect.map((now) => {
      last = now
      if (now <= total) rounds++
    })
  )
  yield* Effect.whileLoop({ while: () => last < total, body: () => round, step: () => {} })
  yield* tell(rounds)
})

const modes: Readonly<Record<string, Effect.Effect<unknown, unknown, RedisService.RedisService>>> = {
  hold,
  wait,
  crowd,
  stopped,
  count,
  share
}

if (url !== "") {
  Effect.runPromise(Effect.provide(modes[mode]!, RedisService.layer({ url }))).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
