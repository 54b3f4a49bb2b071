/** The checks by area. */
import { batches } from "./areas/batches.ts"
import { branches } from "./areas/branches.ts"
import { bulk } from "./areas/bulk.ts"
import { changedSchemas } from "./areas/changedSchemas.ts"
import { collections } from "./areas/collections.ts"
import { combinators } from "./areas/combinators.ts"
import { comparisons } from "./areas/comparisons.ts"
import { composition } from "./areas/composition.ts"
import { conditions } from "./areas/conditions.ts"
import { creation } from "./areas/creation.ts"
import { crossSlot } from "./areas/crossSlot.ts"
import { definitions } from "./areas/definitions.ts"
import { entities } from "./areas/entities.ts"
import { entityLocks } from "./areas/entityLocks.ts"
import { entries } from "./areas/entries.ts"
import { eviction } from "./areas/eviction.ts"
import { forms } from "./areas/forms.ts"
import { guards } from "./areas/guards.ts"
import { hostileValues } from "./areas/hostileValues.ts"
import { idempotency } from "./areas/idempotency.ts"
import { indexUpkeep } from "./areas/indexes.ts"
import { indexKeys } from "./areas/indexKeys.ts"
import { inheritance, tolerance } from "./areas/inheritance.ts"
import { integers } from "./areas/integers.ts"
import { keys } from "./areas/keys.ts"
import { limits } from "./areas/limits.ts"
import { listEdits } from "./areas/listEdits.ts"
import { lists } from "./areas/lists.ts"
import { locks } from "./areas/locks.ts"
import { lockSharing } from "./areas/lockSharing.ts"
import { lockWaiting } from "./areas/lockWaiting.ts"
import { maps } from "./areas/maps.ts"
import { messages } from "./areas/messages.ts"
import { modifiedFields } from "./areas/modifiedFields.ts"
import { modify } from "./areas/modify.ts"
import { numbers } from "./areas/numbers.ts"
import { operands } from "./areas/operands.ts"
import { optional } from "./areas/optional.ts"
import { ownership } from "./areas/ownership.ts"
import { queries } from "./areas/queries.ts"
import { reactivity } from "./areas/reactivity.ts"
import { refresh } from "./areas/refresh.ts"
import { refusals } from "./areas/refusals.ts"
import { removals } from "./areas/removals.ts"
import { reportedFaults } from "./areas/reportedFaults.ts"
import { scans } from "./areas/scans.ts"
import { schemas } from "./areas/schemas.ts"
import { serverTime } from "./areas/serverTime.ts"
import { sets } from "./areas/sets.ts"
import { sortedSets } from "./areas/sortedSets.ts"
import { standings } from "./areas/standings.ts"
import { storedByHand } from "./areas/storedByHand.ts"
import { structDefaults } from "./areas/structDefaults.ts"
import { text } from "./areas/text.ts"
import { times } from "./areas/times.ts"
import { timeToLive } from "./areas/timeToLive.ts"
import { topics } from "./areas/topics.ts"
import { transactions } from "./areas/transactions.ts"
import { values } from "./areas/values.ts"
import { versions } from "./areas/versions.ts"
import type { Backend, Test } from "./suite.ts"

export const areas: { readonly [area: string]: (test: Test, backend: Backend) => void } = {
  batches,
  branches,
  bulk,
  changedSchemas,
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
  forms,
  guards,
  hostileValues,
  idempotency,
  indexes: indexUpkeep,
  indexKeys,
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
  messages,
  modifiedFields,
  modify,
  numbers,
  operands,
  optional,
  ownership,
  queries,
  reactivity,
  refresh,
  refusals,
  schemas,
  removals,
  reportedFaults,
  scans,
  serverTime,
  sets,
  sortedSets,
  standings,
  storedByHand,
  structDefaults,
  text,
  times,
  timeToLive,
  tolerance,
  topics,
  transactions,
  values,
  versions
}
