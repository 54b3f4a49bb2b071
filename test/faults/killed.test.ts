/**
 * Several processes whose connections break, or which are killed themselves: what was said is what was done.
 * `REDLAYER_KILL_SECONDS` and `REDLAYER_KILL_PROCESSES` make it longer and wider.
 */
import { assert, layer } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import { Atomic } from "redlayer"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import type { TcpProxy } from "../support/TcpProxy.ts"
import { Account, accounts, type Heard, type Job, Moves } from "../workers/transferWorker.ts"
import type { Mutation } from "./plantedMutations.ts"
import { random, server, service, start } from "./proxiedService.ts"

const seconds = Number(process.env.REDLAYER_KILL_SECONDS ?? 1.5)
const processes = Number(process.env.REDLAYER_KILL_PROCESSES ?? 8)

const coins = 1_000_000

/** To begin a process takes longer than what it does here: one after the other they work for all tests. */
class Workers extends Context.Service<Workers, ReadonlyArray<Child.Child>>()("test/KilledWorkers") {
  static readonly layer = Layer.effect(
    Workers,
    Effect.forEach(range(processes), () => Child.start("transferWorker.ts", ["worker"]), {
      concurrency: "unbounded"
    })
  )
}

/** A bank, and what it looks like at one moment. */
const bank = Effect.gen(function*() {
  const on = yield* server()
  const { run } = yield* service({ url: on.url, deadline: "10 seconds" })
  yield* run(Effect.forEach(accounts, (id) => Account.insert({ id, coins }), { discard: true }))
  yield* run(Moves.insert({ id: "all" }))
  const look = run(Atomic.all({
    coins: Atomic.all(accounts.map((id) => Account.ref(id).coins.get())),
    count: Moves.ref("all").count.get(),
    last: Moves.ref("all").last.get()
  }))
  const checked = look.pipe(
    // those of this process are killed too, and looking is harmless
    Effect.retry({ times: 100 }),
    Effect.tap((now) =>
      Effect.sync(() => {
        assert.strictEqual(now.coins.reduce((sum, n) => sum + n, 0), coins * accounts.length)
        assert.strictEqual(now.last.length, Math.min(100, now.count))
        assert.strictEqual(new Set(now.last).size, now.last.length, "a move was applied twice")
      })
    )
  )
  return { ...on, checked }
})

const begin = Effect.fnUntraced(function*(child: Child.Child, job: Job) {
  yield* child.send(JSON.stringify(job))
  assert.strictEqual(yield* child.next, "connected")
})

/** Breaks connections until it is interrupted, and counts. */
type Fault = (on: Effect.Success<typeof bank>, count: (broken: number) => void) => Effect.Effect<unknown, unknown>

const often = Effect.repeat(Schedule.spaced("20 millis"))

const kills: Fault = ({ call }, count) =>
  call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").pipe(
    Effect.tap((killed) => Effect.sync(() => count(Number(killed)))),
    often
  )

const through = (break_: (proxy: TcpProxy) => Effect.Effect<void>): Fault => ({ proxy }, count) =>
  Effect.suspend(() => break_(proxy)).pipe(Effect.tap(() => Effect.sync(() => count(1))), often)

const faults: ReadonlyArray<readonly [name: string, fault: Fault]> = [
  ["are killed every 20 ms", kills],
  ["are cut when the server has done it, before the reply", through((proxy) => proxy.cutOnNext("reply"))],
  ["are cut, and deliver later", through((proxy) => proxy.deliverLate(Math.random() * 300))]
]

interface Options {
  readonly fault: Fault
  readonly exactlyOnce: boolean
  readonly mutation?: Mutation
  readonly millis?: number
}

/** Lets all processes work under a fault, and compares the outcomes that they received with the stored data. */
const compare = Effect.fnUntraced(function*({ exactlyOnce, fault, millis = seconds * 1000, mutation }: Options) {
  const found = yield* bank
  const { checked, proxy } = found
  const children = yield* Workers
  const url = fault === kills ? found.url : proxy.url
  const stop = Effect.forEach(children, (child) => Effect.andThen(child.send("stop"), child.next), {
    concurrency: "unbounded"
  })
  yield* Effect.forEach(children, (child, me) => begin(child, { url, me: String(me), exactlyOnce, mutation }), {
    concurrency: "unbounded"
  })
  let broken = 0
  const breaker = yield* Effect.forkChild(fault(found, (count) => broken += count), start)
  const watch = Effect.gen(function*() {
    const end = performance.now() + millis
    let last = 0
    // on a slow machine as much longer as it takes to have seen something
    const isOver = () => performance.now() > (broken > 20 ? end : end + 20_000)
    while (!isOver()) {
      const { count } = yield* checked
      assert.isAtLeast(count, last)
      last = count
      yield* Effect.sleep("5 millis")
    }
  })
  const watched = yield* Effect.exit(watch)
  yield* Fiber.interrupt(breaker)
  yield* proxy.cutOnNext(undefined)
  yield* proxy.deliverLate(undefined)
  const heard: ReadonlyArray<Heard> = yield* stop
  // what is late has arrived
  yield* proxy.waitUntil(({ connections }) => connections === 0)
  yield* watched
  const { count } = yield* checked
  const sum = (of: (heard: Heard) => number) => heard.reduce((sum, one) => sum + of(one), 0)
  const acknowledged = sum((one) => one.acknowledged)
  const unknown = sum((one) => one.unknown)
  const of = `${broken} connections of ${processes} processes broken: ` +
    `${acknowledged} acknowledged, ${unknown} unknown, ${count} applied`
  assert.isAtLeast(count, acknowledged, of)
  assert.isAtMost(count, acknowledged + unknown, `a move was applied twice: ${of}`)
  for (const { distinct, slowest, unexpected } of heard) {
    assert.deepStrictEqual(unexpected, [], of)
    assert.isTrue(distinct, of)
    assert.isAtMost(slowest, 5100, of)
  }
  assert.isAbove(broken, 20, of)
  assert.isAbove(acknowledged, 0, of)
  if (exactlyOnce) assert.strictEqual(unknown, 0, of)
  else assert.isAbove(unknown, 0, of)
  return of
})

const mutations: ReadonlyArray<readonly [what: string, mutation: Mutation, exactlyOnce: boolean]> = [
  ["a client that sends again what had no answer", "resent", false],
  ["a script that doesn't look at tokens", "unchecked", true],
  ["a script that doesn't write tokens", "unwritten", true]
]

const timeout = 60_000 + seconds * 1000

describeOwnServer("processes", () => {
  layer(Workers.layer, { excludeTestServices: true, timeout: 60_000 })((it) => {
    for (const [name, fault] of faults) {
      for (const exactlyOnce of [true, false]) {
        it.effect(
          `whose connections ${name}, ${exactlyOnce ? "exactly once" : "once at most"}`,
          () => compare({ fault, exactlyOnce }).pipe(Effect.tap((of) => Effect.sync(() => console.log(of)))),
          timeout
        )
      }
    }

    it.effect.each(mutations)("%s is found out", ([, mutation, exactlyOnce]) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(compare({ fault: faults[1]![1], exactlyOnce, mutation, millis: 500 }))
        if (Exit.isSuccess(exit)) return assert.fail(exit.value)
        assert.match(Cause.pretty(exit.cause), /AssertionError: a move was applied twice/)
      }), timeout)

    // they don't come back: the last of these tests
    it.effect("a killed process leaves no half of a program", () =>
      Effect.gen(function*() {
        const { checked, url } = yield* bank
        const next = random(Date.now())
        const children = yield* Workers
        let last = 0
        for (let i = 0; i < processes; i += 2) {
          const doomed = children.slice(i, i + 2)
          yield* Effect.forEach(doomed, (child, j) => begin(child, { url, me: String(i + j), exactlyOnce: false }), {
            concurrency: "unbounded"
          })
          yield* Effect.sleep(next() * 100)
          yield* checked
          yield* Effect.forEach(doomed, ({ kill }) => kill, { discard: true })
          const { count } = yield* checked
          assert.isAbove(count, last)
          last = count
        }
      }))
  })
})
