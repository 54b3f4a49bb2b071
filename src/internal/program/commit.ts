/**
 * Commits a node: compiles it, resolves its deferred nodes, hands the program to the service, and decodes the reply.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { InvalidValue, top } from "../../DomainError.ts"
import { isKeyless } from "../instruction/keys.ts"
import { sizeOf } from "../instruction/limits.ts"
import { accessOf } from "../instruction/program.ts"
import { noFields } from "../instruction/spec.ts"
import { invalidOption, refusalOf, replicas, replicationOf } from "../options.ts"
import { lifetimes, toMilliseconds } from "../schema/model.ts"
import { accept, type Definition, modelsOn } from "../schema/registry.ts"
import { collectIssues, type Tolerated } from "../schema/tolerated.ts"
import { RedisService, type WaitReplicas } from "../service.ts"
import { compile, type Compiled } from "./compile.ts"
import { decodeReply, due, fold } from "./decode.ts"
import type { AtomicNode, Deferred, Step } from "./node.ts"

const resolve = (pending: ReadonlyArray<Deferred>): Effect.Effect<void> =>
  Effect.forEach(pending, (deferred) =>
    deferred.resolved === undefined
      ? Effect.map(deferred.make, (node) => {
        deferred.resolved ??= node
      })
      : Effect.void, { discard: true })

/** Every node has this property. It is not in `node.ts`, because the compiled program refers to nodes. */
type Cached = AtomicNode & { compiled: Compiled | undefined }

/** Returns what `compile` returns. A compiled program is kept on the node for the next commit. */
const compiledOf = (node: AtomicNode): Compiled | Exit.Exit<never, InvalidValue> | ReadonlyArray<Deferred> => {
  const self = node as Cached
  if (self.compiled !== undefined) return self.compiled
  const result = compile(self)
  if ("program" in result) self.compiled = result
  return result
}

/**
 * Commits a program. Throws if the service has another model of a name that the program uses; in a fiber that is a defect.
 *
 * @internal
 */
export const commit = (self: AtomicNode, service: RedisService["Service"]): Effect.Effect<any, any> => {
  const compiled = compiledOf(self)
  if (Exit.isExit(compiled)) return compiled
  if (!("program" in compiled)) return Effect.flatMap(resolve(compiled), () => commit(self, service))
  return commitCompiled(compiled, service)
}

const isChanged = (definition: Definition | undefined, models: ReturnType<typeof modelsOn>): boolean =>
  definition !== undefined && definition.acceptedBy !== models && accept(definition, models)

/**
 * Checks that the service has no other model of a name that a program uses. Returns the names of models that are worth a
 * warning. Throws if there is another one.
 */
const admit = (steps: ReadonlyArray<Step>, service: RedisService["Service"]): ReadonlyArray<string> | undefined => {
  const models = modelsOn(service)
  let changed: Array<string> | undefined
  for (let i = 0; i < steps.length; i++) {
    const { other, ref } = steps[i]!
    if (isChanged(ref.definition, models)) (changed ??= []).push(ref.model)
    if (other !== undefined && isChanged(other.ref.definition, models)) (changed ??= []).push(other.ref.model)
  }
  return changed
}

const warn = (models: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(
    models,
    (model) =>
      Effect.logWarning("A model was defined again in another form; a service takes one form of a name").pipe(
        Effect.annotateLogs({ model })
      ),
    { discard: true }
  )

const commitCompiled = (compiled: Compiled, service: RedisService["Service"]): Effect.Effect<any, any> => {
  const changed = admit(compiled.steps, service)
  return changed === undefined
    ? execute(compiled, service)
    : Effect.flatMap(warn(changed), () => execute(compiled, service))
}

const execute = (compiled: Compiled, service: RedisService["Service"]): Effect.Effect<any, any> => {
  if (compiled.steps.length === 0) return Effect.sync(() => fold(compiled, []))
  return compiled.readsIndex ? untilNothingIsDue(compiled, service) : executeOnce(compiled, service)
}

/**
 * Commits a program that reads an index. If entities have expired whose entries it can't remove, it is run again with the access to
 * remove them. Each time it removes a bounded number of them.
 */
const untilNothingIsDue = (compiled: Compiled, service: RedisService["Service"]): Effect.Effect<any, any> =>
  Effect.catch(
    executeOnce(compiled, service),
    (error) => error === due ? untilNothingIsDue(withAccessToSweep(compiled), service) : Effect.fail(error)
  )

const withAccessToSweep = (compiled: Compiled): Compiled =>
  compiled.program.access === "read" ? { ...compiled, program: { ...compiled.program, access: "allowOom" } } : compiled

const executeOnce = (compiled: Compiled, service: RedisService["Service"]): Effect.Effect<any, any> => {
  if (!compiled.isTolerant) return service.execute(compiled.program, (reply) => decodeReply(compiled, reply))
  return Effect.suspend(() => {
    let tolerated: ReadonlyArray<Tolerated> = []
    const executed = service.execute(compiled.program, (reply) => {
      const [exit, found] = collectIssues(() => decodeReply(compiled, reply))
      tolerated = found
      return exit
    })
    return Effect.flatMap(Effect.exit(executed), (exit) => Effect.andThen(log(tolerated), exit))
  })
}

/**
 * Options of `Atomic.commit` that make a program run once.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CommitOptions {
  /**
   * Your key, such as the id of a request: 1 to 512 characters. It is kept for one entity of the program: the one whose
   * stored key is the first in alphabetical order. For another entity the same key is independent.
   */
  readonly idempotencyKey: string
  /** How long the key and the result are kept after the commit: finite, and at least 1 ms. */
  readonly keepFor: Duration.Input
  /** The replicas to wait for, in place of what the layer says: see `ReplicationOptions`. */
  readonly waitReplicas?: WaitReplicas | undefined
}

/**
 * Options of `Atomic.commit` that make it wait for replicas.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ReplicationOptions {
  /**
   * How many replicas must have a copy before the program succeeds, in place of what the layer says. If too few have one when
   * the time is over, the program fails with `NotEnoughReplicas`, and is applied. In memory there is nothing to wait for.
   */
  readonly waitReplicas: WaitReplicas | undefined
  readonly idempotencyKey?: never
  readonly keepFor?: never
}

const longestKey = 512

/** A text that differs between programs: another program under the same idempotency key is a conflict. */
const identityOf = (steps: ReadonlyArray<Step>): string =>
  JSON.stringify(
    steps.map(({ args, key, op, other, spec }) => [op, key, spec, args, other && [other.key, other.spec]])
  )

/** Commits a program with options. */
const commitWith = (
  self: AtomicNode,
  options: CommitOptions | ReplicationOptions,
  service: RedisService["Service"]
): Effect.Effect<any, any> => {
  const invalid = refusalOf(options, replicationChecks)
  if (invalid !== undefined) return invalidOption(invalid)
  const compiled = compiledOf(self)
  if (Exit.isExit(compiled)) return compiled
  if (!("program" in compiled)) return Effect.flatMap(resolve(compiled), () => commitWith(self, options, service))
  const { waitReplicas } = options
  const waiting = waitReplicas === undefined
    ? compiled
    : { ...compiled, program: { ...compiled.program, replication: replicationOf(waitReplicas) } }
  return isOnce(options) ? commitOnce(waiting, options, service) : commitCompiled(waiting, service)
}

/** A key that is undefined is one that was forgotten, and must be refused. */
const isOnce = (options: CommitOptions | ReplicationOptions): options is CommitOptions =>
  "idempotencyKey" in options || "keepFor" in options || !("waitReplicas" in options)

const replicationChecks = { waitReplicas: replicas }

/** Commits a program with an idempotency key. */
const commitOnce = (
  compiled: Compiled,
  { idempotencyKey, keepFor }: CommitOptions,
  service: RedisService["Service"]
): Effect.Effect<any, any> => {
  const millis = toMilliseconds(keepFor)
  const isKey = typeof idempotencyKey === "string" && idempotencyKey !== "" && idempotencyKey.length <= longestKey &&
    idempotencyKey.isWellFormed()
  if (!isKey || millis === undefined) {
    const { id = "", model = "" } = compiled.steps.find(({ op }) => !isKeyless(op))?.ref ?? {}
    const issue = isKey
      ? `Expected a time to keep the result of ${lifetimes}`
      : `Expected an idempotency key of 1 to ${longestKey} characters`
    return Exit.fail(new InvalidValue({ model, id, operation: "commit", field: "", issue }))
  }
  const { program, steps } = compiled
  return commitCompiled({
    ...compiled,
    program: {
      ...program,
      // A read needs memory too, because its result is stored.
      access: program.access === "read" ? "allowOom" : program.access,
      idempotency: { key: idempotencyKey, keepFor: millis, identity: identityOf(steps) }
    }
  }, service)
}

/** Logs the fields that could not be read and were tolerated, without values or ids. */
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
 * Whether a node is a single read, or a refused operation: something that a guard can observe.
 *
 * @internal
 */
export const isRead = (self: AtomicNode): boolean =>
  self._tag === "Invalid" ||
  self._tag === "Instruct" && accessOf([{ op: self.op, key: "", spec: noFields, args: [] }]) === "read"

/**
 * Returns the compiled program, after its deferred nodes are resolved.
 *
 * @internal
 */
export const prepare = (self: AtomicNode): Effect.Effect<Compiled, InvalidValue> =>
  Effect.suspend(() => {
    const compiled = compiledOf(self)
    if (Exit.isExit(compiled)) return compiled
    return "program" in compiled
      ? Effect.succeed(compiled)
      : Effect.flatMap(resolve(compiled), () => prepare(self))
  })

/** How many of several programs may be without an answer. */
interface Flow {
  /** The greatest length of their keys and texts, in UTF-16 units. A program that alone is longer is sent alone. */
  readonly bytes: number
  /** Whether the programs that are not sent yet stay so, after this exit of another one. */
  readonly endsAt: (exit: Exit.Exit<unknown, unknown>) => boolean
}

const unbounded: Flow = { bytes: Infinity, endsAt: () => false }

/**
 * Commits independent programs at once, or part by part. Returns the exit of each at its position. A program that was not sent
 * has none.
 *
 * @internal
 */
export const commitAll = Effect.fnUntraced(function*(
  nodes: ReadonlyArray<AtomicNode>,
  service: RedisService["Service"],
  { bytes, endsAt }: Flow = unbounded
): Effect.fn.Return<ReadonlyArray<Exit.Exit<any, any>>> {
  const exits: Array<Exit.Exit<any, any>> = []
  const sent: Array<{ readonly index: number; readonly compiled: Compiled }> = []
  for (const [index, node] of nodes.entries()) {
    const prepared = yield* Effect.exit(prepare(node))
    if (Exit.isFailure(prepared)) exits[index] = prepared
    else if (prepared.value.steps.length > 0) {
      try {
        const changed = admit(prepared.value.steps, service)
        sent.push({ index, compiled: prepared.value })
        if (changed !== undefined) yield* warn(changed)
      } catch (defect) {
        exits[index] = Exit.die(defect)
      }
    } else exits[index] = yield* Effect.exit(Effect.sync(() => fold(prepared.value, [])))
  }
  const tolerated: Array<Tolerated> = []
  for (let from = 0, to = 0; from < sent.length; from = to) {
    let size = 0
    do size += sizeOf(sent[to++]!.compiled.program)
    while (to < sent.length && size + sizeOf(sent[to]!.compiled.program) <= bytes)
    const part = sent.slice(from, to)
    const results = yield* service.executeAll(part.map(({ compiled }) => compiled.program), (reply, i) => {
      const { compiled } = part[i]!
      // A defect in decoding one program does not affect the others.
      try {
        if (!compiled.isTolerant) return decodeReply(compiled, reply)
        const [exit, found] = collectIssues(() => decodeReply(compiled, reply))
        tolerated.push(...found)
        return exit
      } catch (defect) {
        return Exit.die(defect)
      }
    })
    for (const [i, { compiled, index }] of part.entries()) {
      const exit = results[i]!
      const isDue = compiled.readsIndex && Exit.isFailure(exit) && Cause.hasFails(exit.cause) &&
        Cause.squash(exit.cause) === due
      exits[index] = isDue ? yield* Effect.exit(untilNothingIsDue(withAccessToSweep(compiled), service)) : exit
    }
    if (results.some(endsAt)) break
  }
  yield* log(tolerated)
  return exits
})

/**
 * The effect that commits a program.
 *
 * @internal
 */
export const toEffect = (
  self: AtomicNode,
  options?: CommitOptions | ReplicationOptions
): Effect.Effect<any, any, RedisService> =>
  Effect.flatMap(
    RedisService,
    (service) => options === undefined ? commit(self, service) : commitWith(self, options, service)
  )

/**
 * The effect that commits independent programs at once. Returns the exit of each, in their order.
 *
 * @internal
 */
export const pipeline = (nodes: ReadonlyArray<AtomicNode>): Effect.Effect<any, never, RedisService> =>
  Effect.flatMap(RedisService, (service) => commitAll(nodes, service))
