/**
 * The models that random programs work on: together they have every kind of field, every form of a key and of a slot, every
 * rule of a time to live. Each is described twice: to the library, by its schema; and to the tests, by the names and texts
 * under which it is stored.
 */
import type { Model } from "redlayer"
import { cartCase } from "./cart.ts"
import { dayCase } from "./day.ts"
import { entity, type Target } from "./entities.ts"
import type { ModelCase } from "./fields.ts"
import { guildCase, realmCase } from "./guild.ts"
import { heroCase } from "./hero.ts"
import { noteCase } from "./note.ts"
import type { Call } from "./operations.ts"
import { vaultCase } from "./vault.ts"

export const modelCases: ReadonlyArray<ModelCase> = [
  heroCase,
  cartCase,
  dayCase,
  noteCase,
  vaultCase,
  guildCase,
  realmCase
]

/** The programs on whole entities, the same for every model. */
export const entityCalls = (self: ModelCase): ReadonlyArray<readonly [operation: string, call: Call<Target>]> => {
  const names = Object.keys((self.model as Model.Any & { readonly fields: object }).fields)
  return Object.entries(entity(self.entity, self.patch, names)).map(([name, call]) => [`model.${name}`, call] as const)
}
