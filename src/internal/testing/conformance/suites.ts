/**
 * What any service must do, by area.
 */
import { batches } from "./batches.ts"
import { branches } from "./branches.ts"
import { bulk } from "./bulk.ts"
import { collections } from "./collections.ts"
import { combinators } from "./combinators.ts"
import { comparisons } from "./comparisons.ts"
import { composition } from "./composition.ts"
import { conditions } from "./conditions.ts"
import { creation } from "./creation.ts"
import { crossSlot } from "./crossSlot.ts"
import { definitions } from "./definitions.ts"
import { entities } from "./entities.ts"
import { entityLocks } from "./entityLocks.ts"
import { entries } from "./entries.ts"
import { eviction } from "./eviction.ts"
import { guards } from "./guards.ts"
import { idempotency } from "./idempotency.ts"
import { inheritance, tolerance } from "./inheritance.ts"
import { integers } from "./integers.ts"
import { keys } from "./keys.ts"
import { limits } from "./limits.ts"
import { listEdits } from "./listEdits.ts"
import { lists } from "./lists.ts"
import { locks } from "./locks.ts"
import { lockSharing } from "./lockSharing.ts"
import { lockWaiting } from "./lockWaiting.ts"
import { maps } from "./maps.ts"
import { modifiedFields } from "./modifiedFields.ts"
import { modify } from "./modify.ts"
import { numbers } from "./numbers.ts"
import { operands } from "./operands.ts"
import { optional } from "./optional.ts"
import { refresh } from "./refresh.ts"
import { refusals } from "./refusals.ts"
import { sets } from "./sets.ts"
import { sortedSets } from "./sortedSets.ts"
import { storedByHand } from "./storedByHand.ts"
import type { Backend, Test } from "./suite.ts"
import { text } from "./text.ts"
import { times } from "./times.ts"
import { timeToLive } from "./timeToLive.ts"
import { topics } from "./topics.ts"
import { transactions } from "./transactions.ts"
import { values } from "./values.ts"

/** @internal */
export const suites: { readonly [area: string]: (test: Test, backend: Backend) => void } = {
  batches,
  branches,
  bulk,
  collections,
  combinators,
  comparisons,
  composition,
  conditions,
  creation,
  crossSlot,
  definitions,
  entities,
  entityLocks,
  entries,
  eviction,
  guards,
  idempotency,
  inheritance,
  integers,
  keys,
  limits,
  listEdits,
  lists,
  locks,
  lockSharing,
  lockWaiting,
  maps,
  modifiedFields,
  modify,
  numbers,
  operands,
  optional,
  refresh,
  refusals,
  sets,
  sortedSets,
  storedByHand,
  text,
  times,
  timeToLive,
  tolerance,
  topics,
  transactions,
  values
}
