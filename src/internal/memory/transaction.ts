/**
 * One program on a store. Stored values are changed in place. New entities, deletions and expiries are only noted, and the
 * commit applies them after the last instruction has succeeded. The journal records what undoes each change and note,
 * because an attempt may be undone while the program continues. The twin of journal.lua, entity.lua, collectionState.lua,
 * expiry.lua and commit.lua.
 */
import { type Indexes, type IndexSpec, planField } from "../instruction/indexes.ts"
import { largeWork, maximumWork } from "../instruction/limits.ts"
import { type Access, Op } from "../instruction/ops.ts"
import { type EntitySpec, type FieldSpec, isEntitySpec, type Spec } from "../instruction/spec.ts"
import { fail, failWrongType } from "./stop.ts"
import { contents, sizeOf, type Store, type StoredHash, type StoredValue, storedValue } from "./store.ts"

/**
 * An entity that the program has looked at.
 *
 * @internal
 */
export interface Entity {
  readonly key: string
  hash: StoredHash
  /** Whether the entity existed before the program. */
  readonly stored: boolean
  /** Whether the entity exists for the program. */
  exists: boolean
  /** Whether the program has created it. */
  isNew: boolean
  /** The step that wrote the entity last. */
  writtenAt: number | undefined
  /** When the entity expires, in milliseconds of the clock. Undefined: never. The commit sets it. */
  expiresAt: number | undefined
  /** The collections that get this expiry at the commit. Undefined: the expiry does not change. */
  expiryNames: ReadonlySet<string> | undefined
}

/**
 * A collection that the program has opened.
 *
 * @internal
 */
export interface Collection {
  readonly key: string
  readonly entity: Entity
  value: StoredValue
  /** The type that the key should have. */
  readonly tag: StoredValue["_tag"]
  /** Whether the key has another type. Such a key can only be deleted, at the commit. */
  readonly hasWrongType: boolean
  /** Whether the key existed before the program. */
  readonly stored: boolean
  /**
   * How many texts of a set, map or sorted set stay under its key on a server until the commit, though it is empty for the
   * program. The server examines them when something is added.
   */
  left: number
}

const maximumVersion = 2n ** 63n - 1n

/** Returns the next version: one more with each program that writes. A missing version means 0. */
const nextVersion = (stored = "0"): string => {
  if (!/^(0|-?[1-9]\d*)$/.test(stored)) return failWrongType("")
  const version = BigInt(stored)
  return version >= -maximumVersion - 1n && version < maximumVersion ? String(version + 1n) : failWrongType("")
}

const tagOf = (spec: FieldSpec): StoredValue["_tag"] => {
  const kind = spec.itemOf ?? spec.kind
  return kind === "list" || kind === "set" ? kind : kind === "sortedSet" ? "zset" : "hash"
}

/** How many texts the row of a collection has. */
const textCount = (value: StoredValue): number =>
  sizeOf(value) * (value._tag === "hash" || value._tag === "zset" ? 2 : 1)

/** @internal */
export class Transaction {
  readonly store: Store
  readonly access: Access
  /** Microseconds of the clock. */
  readonly now: number
  /** The greatest length of a value in bytes. */
  readonly valueBytes: number
  /** The position of the running instruction. */
  step = 0
  readonly messages: Array<readonly [channel: string, text: string]> = []
  readonly entities = new Map<string, Entity>()
  readonly collections = new Map<string, Collection>()
  /** The keys of other forms, which the commit removes. */
  readonly dropped = new Set<string>()
  /** The entities whose index entries may have changed, and the step that changed them last. */
  readonly indexed = new Map<Entity, { readonly indexes: Indexes; readonly step: number; isDirty: boolean }>()
  readonly changedIndexes = new Set<IndexSpec>()
  /** The homes of indexes in which the program has set an expiry. */
  readonly expiringHomes = new Map<string, Indexes>()
  private readonly indexKeys = new Set<string>()
  readonly journal: Array<() => void> = []
  /** The work of the program so far. */
  private work = 0

  constructor(store: Store, access: Access, now: number, valueBytes: number) {
    this.store = store
    this.access = access
    this.now = now
    this.valueBytes = valueBytes
  }

  /** Whole milliseconds of the clock. */
  get millis(): number {
    return Math.floor(this.now / 1000)
  }

  /** Counts work. Stops the program if it is too much. */
  spend(units: number): void {
    const before = this.work
    this.work = before + units
    if (units > 0 && this.work > maximumWork && before > largeWork) fail({ _tag: "tooMuch" })
  }

  /** Counts the work of a scalar operation on a stored text. */
  examine(op: Op, text: string | undefined): void {
    if (text !== undefined && text.length > largeWork && op !== Op.appendText) this.spend(text.length / 4)
  }

  private valueAt(key: string): StoredValue | undefined {
    return this.store.get(key, this.now / 1000)
  }

  /**
   * Opens an entity. Fails if its key is not a hash.
   *
   * @param other whether it is the second entity of the instruction
   */
  entityAt(key: string, other?: boolean): Entity {
    let entity = this.entities.get(key)
    if (entity === undefined) {
      const value = this.valueAt(key)
      if (value !== undefined && value._tag !== "hash") return failWrongType("", other)
      entity = {
        key,
        hash: value ?? noHash,
        stored: value !== undefined,
        exists: value !== undefined,
        isNew: false,
        writtenAt: undefined,
        expiresAt: value?.expiresAt,
        expiryNames: undefined
      }
      this.entities.set(key, entity)
    }
    return entity
  }

  /** Opens a collection. Fails if its key has the wrong type. */
  collectionAt(entity: Entity, spec: FieldSpec, other?: boolean): Collection {
    const collection = this.openCollection(entity, spec)
    return collection.hasWrongType ? failWrongType(spec.field, other) : collection
  }

  /** Opens a collection even if its key has the wrong type. */
  private openCollection(entity: Entity, spec: FieldSpec): Collection {
    const key = `${entity.key}:${spec.field}`
    let collection = this.collections.get(key)
    if (collection === undefined) {
      const value = this.valueAt(key)
      const tag = tagOf(spec)
      collection = {
        key,
        entity,
        value: value ?? storedValue(tag, [], undefined),
        tag,
        hasWrongType: value !== undefined && value._tag !== tag,
        stored: value !== undefined,
        left: 0
      }
      this.collections.set(key, collection)
    }
    return collection
  }

  /** Whether an entity exists on the server, also if the program has deleted it. */
  isStored(key: string): boolean {
    return this.entities.get(key)?.exists === true || this.valueAt(key) !== undefined
  }

  /** The value of an index's key. It is made if it is missing, and the commit removes it if it stays empty. */
  indexKeyAt(key: string, tag: "zset" | "hash"): StoredValue {
    let value = this.valueAt(key)
    if (value === undefined) this.store.values.set(key, value = storedValue(tag, [], undefined))
    if (value._tag !== tag) {
      return fail(
        this.isReplaced(key)
          ? { _tag: "plan", isOlder: false }
          : { _tag: "indexKey", suffix: key.slice(key.indexOf("}") + 1) }
      )
    }
    this.indexKeys.add(key)
    return value
  }

  /** Whether a later definition has replaced the index that has this key. */
  private isReplaced(key: string): boolean {
    const value = this.valueAt(key.replace("}:$of:", "}:$ix:"))
    return value?._tag === "hash" && value.fields.has(planField)
  }

  private removeEmptyIndexKeys(): void {
    for (const key of this.indexKeys) {
      const value = this.valueAt(key)
      if (value !== undefined && sizeOf(value) === 0) this.store.values.delete(key)
    }
  }

  /** The type of a key that no collection of the program has. Undefined: it is missing, or the commit removes it. */
  typeAt(key: string): StoredValue["_tag"] | undefined {
    return this.dropped.has(key) ? undefined : this.valueAt(key)?._tag
  }

  /** Lets the commit remove the key of another form. */
  drop(key: string): void {
    if (this.typeAt(key) === undefined) return
    this.dropped.add(key)
    this.journal.push(() => this.dropped.delete(key))
  }

  /** Returns a collection of an entity that is read as a whole. */
  contents(entity: Entity, spec: FieldSpec): ReadonlyArray<string> {
    const { hasWrongType, tag, value } = this.openCollection(entity, spec)
    return hasWrongType && value._tag !== tag ? failWrongType(spec.field) : contents(value)
  }

  /**
   * Replaces a collection of an entity that is written as a whole. Writing no items is allowed even if the key has
   * the wrong type, because the commit then deletes it.
   */
  replaceCollection(entity: Entity, spec: FieldSpec, texts: ReadonlyArray<string>, other?: boolean): void {
    this.replace(texts.length === 0 ? this.openCollection(entity, spec) : this.collectionAt(entity, spec, other), texts)
  }

  /** Comes before each change of an entity. The first one increases the version, which fails if it is not a number. */
  touch(entity: Entity): void {
    const isFirst = entity.writtenAt === undefined
    if (isFirst && !entity.stored) {
      const version = Math.max(this.now, this.store.lastVersion + 1)
      this.update(this.store, "lastVersion", version)
      this.update(entity, "hash", { _tag: "hash", fields: new Map([["$v", String(version)]]), expiresAt: undefined })
    } else if (isFirst) {
      this.setField(entity.hash, "$v", nextVersion(entity.hash.fields.get("$v")))
    }
    // a later step is not journalled, because it never runs again
    if (isFirst) this.update(entity, "writtenAt", this.step)
    else entity.writtenAt = this.step
  }

  /** Makes an entity that is deleted and created again within a microsecond begin above its old version. */
  raiseLastVersion(entity: Entity): void {
    const version = Number(entity.hash.fields.get("$v"))
    // a version written by others may be too large to continue from
    if (version < 2 ** 52) this.update(this.store, "lastVersion", Math.max(version, this.store.lastVersion))
  }

  /** Replaces all fields of an entity. A new entity expires after `lifetime`, or never. */
  replaceFields(entity: Entity, spec: EntitySpec, fields: Map<string, string>, lifetime: number | false): void {
    this.touch(entity)
    const version = entity.hash.fields.get("$v")!
    this.update(entity, "hash", { _tag: "hash", fields: fields.set("$v", version), expiresAt: undefined })
    if (entity.exists) return
    this.update(entity, "exists", true)
    entity.isNew = true
    this.scheduleExpiry(entity, spec, lifetime === false ? undefined : this.millis + lifetime, noNames)
  }

  replace(collection: Collection, texts: ReadonlyArray<string>): void {
    const { entity, value: { expiresAt }, tag } = collection
    this.touch(entity)
    if (tag !== "list") {
      if (texts.length === 0) this.leave(collection)
      else this.examineLeft(collection)
    }
    this.update(collection, "value", storedValue(tag, texts, expiresAt))
  }

  /** Comes before an edit of a set, map or sorted set. */
  resize(collection: Collection, before: number, after: number): void {
    if (after === 0) this.leave(collection)
    else if (before === 0) this.examineLeft(collection)
  }

  /** Leaves the texts of a collection that becomes empty under its key. */
  private leave(collection: Collection): void {
    const texts = textCount(collection.value)
    if (texts > 0) this.update(collection, "left", texts)
  }

  /** Counts the work of replacing the texts that are under the key. */
  private examineLeft(collection: Collection): void {
    this.spend(16 * (collection.left || textCount(collection.value)))
    if (collection.left > 0) this.update(collection, "left", 0)
  }

  /**
   * Notes the expiry that the commit sets for the entity, its collections and their other forms.
   *
   * @param former the names of other forms
   */
  scheduleExpiry(
    entity: Entity,
    spec: Spec,
    at: number | undefined,
    former: Iterable<string> = spec.expiry?.former ?? noNames
  ): void {
    const names = new Set([...entity.expiryNames ?? noNames, ...former])
    for (const { field } of isEntitySpec(spec) ? spec.collections : []) names.add(field)
    for (const name of spec.expiry?.collections ?? []) names.add(name)
    this.update(entity, "expiryNames", names)
    this.update(entity, "expiresAt", at)
  }

  /** Renews the expiry after an instruction that renews it. An entity that never expires gets no expiry here. */
  renew(entity: Entity, spec: Spec): void {
    const { expiry } = spec
    if (expiry === undefined || entity.expiresAt === undefined) return
    if (!expiry.onRead && entity.writtenAt !== this.step) return
    const least = this.millis + expiry.milliseconds
    if (entity.expiresAt < least) this.scheduleExpiry(entity, spec, least + expiry.renewAfterMillis)
  }

  /** Writes a field, or removes it if the text is `false`. */
  setField({ fields }: StoredHash, name: string, text: string | false): void {
    const before = fields.get(name) ?? false
    writeField(fields, name, text)
    this.journal.push(() => writeField(fields, name, before))
  }

  publish(channel: string, text: string): void {
    this.messages.push([channel, text])
    this.journal.push(() => this.messages.pop())
  }

  /** Changes a property, and journals its old value. */
  update<A, K extends keyof A>(target: A, name: K, value: A[K]): void {
    const before = target[name]
    target[name] = value
    this.journal.push(() => {
      target[name] = before
    })
  }

  /** Undoes all changes since the journal had this length. Default: 0, the start of the program. */
  undo(journalLength = 0): void {
    while (this.journal.length > journalLength) this.journal.pop()!()
    for (const noted of this.indexed.values()) noted.isDirty = true
    if (journalLength === 0) this.removeEmptyIndexKeys()
  }

  commit(): void {
    const { values } = this.store
    for (const { exists, expiresAt, hash, key } of this.entities.values()) {
      if (exists) {
        hash.expiresAt = expiresAt
        values.set(key, hash)
      } else {
        values.delete(key)
      }
    }
    for (const { entity, key, stored, value } of this.collections.values()) {
      if (sizeOf(value) === 0) {
        values.delete(key)
        continue
      }
      values.set(key, value)
      if (!stored) value.expiresAt = entity.expiresAt
    }
    for (const key of this.dropped) {
      const opened = this.collections.get(key)
      if (opened === undefined || sizeOf(opened.value) === 0) values.delete(key)
    }
    for (const { exists, expiresAt, expiryNames, key } of this.entities.values()) {
      if (!exists || expiryNames === undefined) continue
      for (const name of expiryNames) {
        const value = this.valueAt(`${key}:${name}`)
        if (value !== undefined) value.expiresAt = expiresAt
      }
    }
    this.removeEmptyIndexKeys()
    // more keys than this program can have stored, so that expired keys do not accumulate
    this.store.sweep(this.now / 1000, 20 + this.entities.size + this.collections.size)
  }
}

const writeField = (fields: Map<string, string>, name: string, text: string | false): void => {
  if (text === false) fields.delete(name)
  else fields.set(name, text)
}

const noNames: ReadonlyArray<string> = []

/** Stands for a missing hash; never written to. */
const noHash: StoredHash = { _tag: "hash", fields: new Map(), expiresAt: undefined }
