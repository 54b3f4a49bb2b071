/**
 * Fault injection: applies the faults of a plan to the calls of a transport, or to the programs of a service.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { ConnectionUnavailable, OutcomeUnknown, RedisServiceError } from "../../RedisServiceError.ts"
import { type Call, RedisTransport, type ServerReply, TransportError } from "../../RedisTransport.ts"
import { keysOf } from "../instruction/keys.ts"
import type { Program } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import { classify } from "../redis/classify.ts"
import { RedisService } from "../service.ts"
import { type Fault, Faults, type LogEntry, type Plan, type Request } from "./types.ts"

/** How the requests of a transport or a service fail. */
interface Failures<A, E> {
  readonly notSent: Effect.Effect<never, E>
  readonly unknown: Effect.Effect<never, E>
  readonly refused: (message: string) => Effect.Effect<A, E>
  /** Whether the error means that there was no reply, so that none can be lost. */
  readonly isUnanswered: (error: E) => boolean
}

/** One request: its description, and the effect that passes it on. */
interface Forwarding<A, E> {
  readonly description: Omit<Request, "index">
  readonly pass: Effect.Effect<A, E>
}

/** A request that waits for `release`. */
interface HeldRequest {
  readonly latch: Deferred.Deferred<void>
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

class Injector {
  plan: Plan
  readonly scope: Scope.Scope
  log: Array<Mutable<LogEntry>> = []
  held: Array<HeldRequest> = []

  constructor(plan: Plan, scope: Scope.Scope) {
    this.plan = plan
    this.scope = scope
  }

  readonly service: Faults["Service"] = {
    usePlan: (plan) =>
      Effect.sync(() => {
        this.plan = plan
        this.log = []
      }),
    log: Effect.sync(() => this.log.map((entry) => ({ ...entry }))),
    release: Effect.suspend(() => {
      const held = this.held
      this.held = []
      return Effect.forEach(
        held,
        ({ fiber, latch }) => Effect.andThen(Deferred.succeed(latch, undefined), Fiber.await(fiber)),
        { discard: true }
      )
    })
  }

  forward<A, E>({ description, pass }: Forwarding<A, E>, failures: Failures<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const request: Request = { index: this.log.length, ...description }
      const fault = this.plan(request)
      const entry: Mutable<LogEntry> = { ...request, fault, state: "Withheld" }
      this.log.push(entry)
      return this.applyFault(fault, entry, logged(pass, entry), failures)
    })
  }

  private applyFault<A, E>(
    fault: Fault | undefined,
    entry: Mutable<LogEntry>,
    pass: Effect.Effect<A, E>,
    failures: Failures<A, E>
  ): Effect.Effect<A, E> {
    switch (fault?._tag) {
      case undefined:
        return pass
      case "NotSent":
        return failures.notSent
      case "LoseRequest":
        return failures.unknown
      case "LoseReply":
        return Effect.matchEffect(pass, {
          onFailure: (error) => failures.isUnanswered(error) ? Effect.fail(error) : failures.unknown,
          onSuccess: () => failures.unknown
        })
      case "Delay":
        entry.state = "Waiting"
        return Effect.andThen(
          Effect.onInterrupt(Effect.sleep(fault.duration), () =>
            Effect.sync(() => {
              entry.state = "Withheld"
            })),
          pass
        )
      case "DeliverLate":
        entry.state = "Waiting"
        return Effect.andThen(this.deliverLater(fault.duration, pass), failures.unknown)
      case "Answer":
        return failures.refused(fault.message)
    }
  }

  /** Runs in the scope of the layer, because the caller was interrupted or has its answer already. */
  private deliverLater<A, E>(
    duration: Extract<Fault, { readonly _tag: "DeliverLate" }>["duration"],
    pass: Effect.Effect<A, E>
  ): Effect.Effect<void> {
    if (duration !== undefined) {
      return Effect.asVoid(Effect.forkIn(Effect.andThen(Effect.sleep(duration), pass), this.scope))
    }
    return Effect.suspend(() => {
      const latch = Deferred.makeUnsafe<void>()
      return Effect.map(Effect.forkIn(Effect.andThen(Deferred.await(latch), pass), this.scope), (fiber) => {
        this.held.push({ latch, fiber })
      })
    })
  }
}

/** Keeps the state of the log entry while the request runs. */
const logged = <A, E>(pass: Effect.Effect<A, E>, entry: Mutable<LogEntry>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    entry.state = "Passed"
    return Effect.onExit(pass, (exit) =>
      Effect.sync(() => {
        if (!Exit.hasInterrupts(exit)) entry.state = "Answered"
      }))
  })

/** Returns a number from 0 to 1 that depends on the arguments alone. */
const chance = (seed: number, index: number): number => {
  let bits = (seed ^ Math.imul(index + 1, 0x9e3779b1)) | 0
  for (let round = 0; round < 2; round++) {
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    bits ^= bits >>> 16
  }
  return (bits >>> 0) / 2 ** 32
}

/** @internal */
export const random = (seed: number, faults: ReadonlyArray<readonly [probability: number, fault: Fault]>): Plan => {
  return ({ index }) => {
    let rest = chance(seed, index)
    for (const [probability, fault] of faults) {
      if (rest < probability) return fault
      rest -= probability
    }
    return undefined
  }
}

const callFailures: Failures<ServerReply, TransportError> = {
  notSent: Effect.fail(new TransportError({ outcome: "NotSent" })),
  unknown: Effect.fail(new TransportError({ outcome: "Unknown" })),
  refused: (message) => Effect.succeed({ _tag: "Error", message }),
  isUnanswered: () => true
}

/**
 * Takes 2 ms before the transport is ready, so that a caller that waits for a connection and sends again does not loop
 * without a pause.
 */
const reconnecting: Effect.Effect<void> = Effect.callback((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 2)
  return Effect.sync(() => clearTimeout(timer))
})

/** @internal */
export const aroundTransport = Effect.fnUntraced(function*(plan: Plan) {
  const below = yield* RedisTransport
  const injector = new Injector(plan, yield* Effect.scope)
  const transport: RedisTransport["Service"] = {
    evaluate: (call: Call) =>
      injector.forward(
        { description: { keys: call.keys, readOnly: call.command.endsWith("_RO") }, pass: below.evaluate(call) },
        callFailures
      ),
    ready: Effect.andThen(reconnecting, below.ready),
    subscribe: below.subscribe,
    scan: below.scan,
    server: below.server
  }
  return Context.make(RedisTransport, transport).pipe(Context.add(Faults, injector.service))
})

const fail = (reason: RedisServiceError["reason"]): Effect.Effect<never, RedisServiceError> =>
  Effect.fail(new RedisServiceError({ reason }))

/** @internal */
export const aroundService = Effect.fnUntraced(function*(plan: Plan) {
  const below = yield* RedisService
  const injector = new Injector(plan, yield* Effect.scope)
  const execute = <A, E>(
    program: Program,
    read: (reply: Reply) => Exit.Exit<A, E>
  ): Effect.Effect<A, E | RedisServiceError> => {
    const keys = keysOf(program)
    return injector.forward<A, E | RedisServiceError>(
      { description: { keys, readOnly: program.access === "read" }, pass: below.execute(program, read) },
      {
        notSent: fail(new ConnectionUnavailable({})),
        unknown: fail(new OutcomeUnknown({})),
        refused: (message) => fail(classify(message, keys, false)),
        isUnanswered: (error) => error instanceof RedisServiceError && error.reason._tag === "ConnectionUnavailable"
      }
    )
  }
  const service: RedisService["Service"] = {
    execute,
    executeAll: (programs, read) =>
      Effect.forEach(programs, (program, i) => Effect.exit(execute(program, (reply) => read(reply, i))), {
        concurrency: "unbounded"
      }),
    subscribe: below.subscribe,
    scan: below.scan,
    server: below.server
  }
  return Context.make(RedisService, service).pipe(Context.add(Faults, injector.service))
})
