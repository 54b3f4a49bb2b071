/**
 * The end of a program by the server's reply: its answer, a failure, or another attempt.
 */
import {
  ConnectionUnavailable,
  NotEnoughReplicas,
  OutcomeUnknown,
  type RedisServiceErrorReason
} from "../../RedisServiceError.ts"
import { keysOf } from "../instruction/keys.ts"
import type { Replication } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import { type ChannelNames, channelOf } from "./channel.ts"
import { aboutChannel, broken, classify, isWrongType } from "./classify.ts"
import { isAwaited, type PendingProgram } from "./pendingProgram.ts"
import type { CallRecord } from "./telemetry.ts"
import type { Outcome } from "./wire.ts"

/** The program is applied, and too few replicas are known to have a copy. */
interface Unreplicated extends Replication {
  readonly _tag: "unreplicated"
  readonly confirmed: number
}

/** @internal */
export const isReply = (outcome: Outcome | Unreplicated): outcome is Reply =>
  outcome._tag === "done" || outcome._tag === "failed"

/**
 * The replication that a call needs for its programs.
 *
 * @internal
 */
export const replicationOfAll = (programs: ReadonlyArray<PendingProgram>): Replication | undefined => {
  let all: Replication | undefined
  for (const { replication } of programs) {
    if (replication === undefined || replication === all) continue
    all = all === undefined ? replication : {
      count: Math.max(all.count, replication.count),
      timeout: Math.max(all.timeout, replication.timeout)
    }
  }
  return all
}

/**
 * The outcome of a program whose call waited for replicas.
 *
 * @param replicas how many have a copy
 * @internal
 */
export const replicated = (
  { replication }: PendingProgram,
  outcome: Outcome,
  replicas: number
): Outcome | Unreplicated =>
  replication !== undefined && replicas < replication.count && (outcome._tag === "done" || outcome._tag === "applied")
    ? { ...replication, _tag: "unreplicated", confirmed: replicas }
    : outcome

/** @internal */
export const fail = (
  record: CallRecord | undefined,
  program: PendingProgram,
  reason: RedisServiceErrorReason
): void => {
  if (!isAwaited(program)) return
  if (record !== undefined) record.trouble ??= reason
  program.fail(reason)
}

/** @internal */
export const abandon = (record: CallRecord | undefined, program: PendingProgram): void =>
  fail(record, program, program.reason)

/**
 * Completes a program by its outcome. Returns false if the program may be sent again.
 *
 * @internal
 */
export const complete = (
  record: CallRecord | undefined,
  program: PendingProgram,
  outcome: Outcome | Unreplicated,
  names: ChannelNames
): boolean => {
  switch (outcome._tag) {
    case "done":
    case "failed":
      program.answer(outcome)
      return true
    case "applied":
      fail(record, program, new OutcomeUnknown({ applied: true }))
      return true
    case "tombstoned":
      fail(record, program, program.refusal ?? new ConnectionUnavailable({}))
      return true
    case "unreplicated":
      fail(record, program, new NotEnoughReplicas({ required: outcome.count, confirmed: outcome.confirmed }))
      return true
  }
  const { message, part, step, undone } = outcome
  if (undone && isWrongType(message)) {
    program.answer({ _tag: "failed", failure: { _tag: "type", step, part } })
    return true
  }
  const reason = undone
    ? aboutChannel(classify(message, keysOf(program.program), true), message, channelOf(program.program, names))
    : broken(message)
  if (reason._tag !== "ServerUnavailable") {
    fail(record, program, reason)
    return true
  }
  program.markRefused(reason)
  return !isAwaited(program)
}
