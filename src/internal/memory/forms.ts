/**
 * Other forms: what an earlier schema stored under the name of a field that is missing. They are looked for only if a field is
 * missing or a collection is empty. The twin of forms.lua.
 */
import { aroundForm, Form, type Result } from "../instruction/reply.ts"
import { type EntitySpec, type FieldSpec, hasOwnKey, isBelow, namesAround } from "../instruction/spec.ts"
import { failEntity } from "./stop.ts"
import { sizeOf } from "./store.ts"
import type { Collection, Entity, Transaction } from "./transaction.ts"

const formOfType = { list: Form.list, set: Form.set, hash: Form.map, zset: Form.sortedSet }

/**
 * Returns the form of a field or collection that is missing, or undefined if it is stored in none.
 *
 * @internal
 */
export const otherForm = (
  transaction: Transaction,
  { hash: { fields }, key }: Entity,
  path: string,
  isCollection: boolean,
  inner: ReadonlyArray<string> = []
): number | undefined => {
  const typeAt = (name: string): number | undefined => {
    const type = transaction.typeAt(`${key}:${name}`)
    return type && (formOfType[type] ?? Form.other)
  }
  for (const name of fields.keys()) if (isBelow(name, path)) return Form.struct
  const own = isCollection ? fields.has(path) ? Form.text : undefined : typeAt(path)
  if (own !== undefined) return own
  if (inner.some((name) => isBelow(name, path) && typeAt(name) !== undefined)) return Form.structOfCollections
  let levels = 0
  for (const name of namesAround(path)) {
    levels += aroundForm
    const around = fields.has(name) ? Form.text : typeAt(name)
    if (around !== undefined) return levels + around
  }
}

/**
 * The row of an entity, with the form of each missing field that has one.
 *
 * @internal
 */
export const withForms = (
  transaction: Transaction,
  entity: Entity,
  { collections, fields, inner }: EntitySpec,
  row: ReadonlyArray<Exclude<Result, number> | number>
): Result =>
  (row as ReadonlyArray<any>).map((cell, i) => {
    if (i === 0) return cell
    const collection = collections[i - 1 - fields.length]
    if (collection === undefined) {
      return cell === false
        ? otherForm(transaction, entity, fields[i - 1]!, false, inner) ?? cell
        : cell
    }
    return cell.length === 0 ? otherForm(transaction, entity, collection.field, true) ?? cell : cell
  })

/**
 * Fails if a missing field is stored in another form, unless the operation replaces the field. Then the other form is removed. A
 * struct around the field that is stored in another form is never removed, because it holds other fields too. Returns whether
 * something is removed.
 *
 * @internal
 */
export const leaveForm = (
  transaction: Transaction,
  entity: Entity,
  { field, inner, ...spec }: FieldSpec,
  replaces: boolean,
  other = false
): boolean => {
  const isCollection = hasOwnKey({ field, ...spec })
  const form = otherForm(transaction, entity, field, isCollection, inner)
  if (form === undefined) return false
  if (!replaces || form > aroundForm) return failEntity("type", other)
  transaction.touch(entity)
  for (const name of entity.hash.fields.keys()) {
    if (name === field || isBelow(name, field)) transaction.setField(entity.hash, name, false)
  }
  if (!isCollection) transaction.drop(`${entity.key}:${field}`)
  for (const name of inner ?? []) transaction.drop(`${entity.key}:${name}`)
  return true
}

/**
 * Like `leaveForm`, for a collection that may be missing.
 *
 * @internal
 */
export const leaveFormOf = (
  transaction: Transaction,
  { entity, value }: Collection,
  spec: FieldSpec,
  replaces: boolean,
  other?: boolean
): boolean => sizeOf(value) === 0 && leaveForm(transaction, entity, spec, replaces, other)
