/**
 * One program on a store. Stored values are changed in place. New entities, deletions and expiries are only noted, and
 * applied after the last instruction has succeeded. The journal records every change and note, because an attempt may
 * be undone while the program continues. The twin of journal.lua, entity.lua and commit.lua.
 */
import { type EntitySpec, type FieldSpec, isEntitySpec, type Spec } from "../instruction/spec.ts"
import { mistyped } from "./stop.ts"
import { type Entry, entryOf, type Hash, sizeOf, type Store, textsOf } from "./store.ts"

/** @internal */
export interface Entity {
  readonly key: string
  hash: Hash
  /** Whether it existed before the program. */
  readonly stored: boolean
  exists: boolean
  /** The step that wrote it last. */
  written: number | undefined
  /** The expiry that the program leaves it. */
  expiresAt: number | undefined
  /** The collections that have received that expiry, and the hash with them. */
  expiring: ReadonlySet<string> | undefined
}

/** @internal */
export interface Collection {
  readonly key: string
  readonly entity: Entity
  entry: Entry
  /** The type that the key should have. */
  readonly tag: Entry["_tag"]
  /** The key has another type: it can be deleted at the end, and nothing else. */
  readonly isForeign: boolean
  /** Whether it existed before the program. */
  readonly stored: boolean
}

const maximumVersion = 2n ** 63n - 1n

/** The next version: one more with each program that writes. A missing one counts as 0. */
const nextVersion = (stored = "0"): string => {
  if (!/^(0|-?[1-9]\d*)$/.test(stored)) return mistyped("")
  const version = BigInt(stored)
  return version >= -maximumVersion - 1n && version < maximumVersion ? String(version + 1n) : mistyped("")
}

const tagOf = (spec: FieldSpec): Entry["_tag"] => {
  const kind = spec.itemOf ?? spec.kind
  return kind === "list" || kind === "set" ? kind : kind === "sortedSet" ? "zset" : "hash"
}

/** @internal */
export class Transaction {
  readonly store: Store
  /** Microseconds. */
  readonly now: number
  step = 0
  readonly messages: Array<readonly [channel: string, text: string]> = []
  readonly entities = new Map<string, Entity>()
  readonly collections = new Map<string, Collection>()
  readonly journal: Array<() => void> = []

  constructor(store: Store, now: number) {
    this.store = store
    this.now = now
  }

  /** Whole milliseconds. */
  get millis(): number {
    return Math.floor(this.now / 1000)
  }

  look(key: string): Entry | undefined {
    return this.store.get(key, this.now / 1000)
  }

  entity(key: string, other?: boolean): Entity {
    let entity = this.entities.get(key)
    if (entity === undefined) {
      const entry = this.look(key)
      if (entry !== undefined && entry._tag !== "hash") return mistyped("", other)
      entity = {
        key,
        hash: entry ?? noHash,
        stored: entry !== undefined,
        exists: entry !== undefined,
        written: undefined,
        expiresAt: entry?.expiresAt,
        expiring: undefined
      }
      this.entities.set(key, entity)
    }
    return entity
  }

  collection(entity: Entity, spec: FieldSpec, other?: boolean): Collection {
    const part = this.part(entity, spec)
    return part.isForeign ? mistyped(spec.field, other) : part
  }

  /** A collection of the entity, whatever its type. */
  private part(entity: Entity, spec: FieldSpec): Collection {
    const key = `${entity.key}:${spec.field}`
    let collection = this.collections.get(key)
    if (collection === undefined) {
      const entry = this.look(key)
      const tag = tagOf(spec)
      collection = {
        key,
        entity,
        entry: entry ?? entryOf(tag, [], undefined),
        tag,
        isForeign: entry !== undefined && entry._tag !== tag,
        stored: entry !== undefined
      }
      this.collections.set(key, collection)
    }
    return collection
  }

  /** The texts of a collection of an entity that is read as a whole. */
  texts(entity: Entity, spec: FieldSpec): ReadonlyArray<string> {
    const { entry, isForeign, tag } = this.part(entity, spec)
    return isForeign && entry._tag !== tag ? mistyped(spec.field) : textsOf(entry)
  }

  /**
   * Replaces a collection of an entity that is written as a whole. Writing no items is allowed even if the key has
   * another type, because it is deleted at the commit.
   */
  refill(entity: Entity, spec: FieldSpec, texts: ReadonlyArray<string>, other?: boolean): void {
    this.replace(texts.length === 0 ? this.part(entity, spec) : this.collection(entity, spec, other), texts)
  }

  /** Increments the version before the first change. Stops the program if the version is not a number. */
  touch(entity: Entity): void {
    const isFirst = entity.written === undefined
    if (isFirst && !entity.stored) {
      const version = Math.max(this.now, this.store.lastVersion + 1)
      this.note(this.store, "lastVersion", version)
      this.note(entity, "hash", { _tag: "hash", fields: new Map([["$v", String(version)]]), expiresAt: undefined })
    } else if (isFirst) {
      this.setField(entity.hash, "$v", nextVersion(entity.hash.fields.get("$v")))
    }
    // any later step counts as writing it again
    if (isFirst) this.note(entity, "written", this.step)
    else entity.written = this.step
  }

  /** Makes sure that an entity that is deleted and created again within a microsecond begins above its old version. */
  outdate(entity: Entity): void {
    const version = Number(entity.hash.fields.get("$v"))
    // a version written by others may be too large to continue from
    if (version < 2 ** 52) this.note(this.store, "lastVersion", Math.max(version, this.store.lastVersion))
  }

  /** Replaces everything that the entity has. A new entity gets the given expiry. */
  write(entity: Entity, spec: EntitySpec, fields: Map<string, string>, life: number | false): void {
    this.touch(entity)
    const version = entity.hash.fields.get("$v")!
    this.note(entity, "hash", { _tag: "hash", fields: fields.set("$v", version), expiresAt: undefined })
    if (entity.exists) return
    this.note(entity, "exists", true)
    this.expire(entity, spec, life === false ? undefined : this.millis + life)
  }

  replace(collection: Collection, texts: ReadonlyArray<string>): void {
    const { entity, entry: { expiresAt }, tag } = collection
    this.touch(entity)
    this.note(collection, "entry", entryOf(tag, texts, expiresAt))
  }

  /** Sets one expiry for the entity and its collections. */
  expire(entity: Entity, spec: Spec, at: number | undefined): void {
    const names = new Set(entity.expiring)
    for (const { field: f } of isEntitySpec(spec) ? spec.collections : []) names.add(f)
    for (const name of spec.expiry?.collections ?? []) names.add(name)
    this.note(entity, "expiring", names)
    this.note(entity, "expiresAt", at)
  }

  /** Renews the expiry after an instruction that renews. An entity without expiry stays permanent. */
  renew(entity: Entity, spec: Spec): void {
    const { expiry: life } = spec
    if (life === undefined || entity.expiresAt === undefined || !(life.onRead || entity.written === this.step)) return
    const at = this.millis + life.milliseconds
    if (at - entity.expiresAt > life.renewAfterMillis) this.expire(entity, spec, at)
  }

  setField({ fields }: Hash, name: string, text: string | false): void {
    const before = fields.get(name) ?? false
    put(fields, name, text)
    this.journal.push(() => put(fields, name, before))
  }

  publish(channel: string, text: string): void {
    this.messages.push([channel, text])
    this.journal.push(() => this.messages.pop())
  }

  /** Changes a note, and journals the inverse. */
  note<A, K extends keyof A>(target: A, name: K, value: A[K]): void {
    const before = target[name]
    target[name] = value
    this.journal.push(() => {
      target[name] = before
    })
  }

  /** Undoes all changes since the journal had this length. */
  undo(mark = 0): void {
    while (this.journal.length > mark) this.journal.pop()!()
  }

  commit(): void {
    const { entries } = this.store
    for (const { exists, expiresAt, hash, key } of this.entities.values()) {
      if (exists) {
        hash.expiresAt = expiresAt
        entries.set(key, hash)
      } else {
        entries.delete(key)
      }
    }
    for (const { entity, entry, key, stored } of this.collections.values()) {
      if (sizeOf(entry) === 0) {
        entries.delete(key)
        continue
      }
      entries.set(key, entry)
      if (!stored) entry.expiresAt = entity.expiresAt
    }
    for (const { exists, expiresAt, expiring, key } of this.entities.values()) {
      if (!exists || expiring === undefined) continue
      for (const name of expiring) {
        const entry = this.look(`${key}:${name}`)
        if (entry !== undefined) entry.expiresAt = expiresAt
      }
    }
    // more keys than this program can have stored
    this.store.sweep(this.now / 1000, 20 + this.entities.size + this.collections.size)
  }
}

const put = (fields: Map<string, string>, name: string, text: string | false): void => {
  if (text === false) fields.delete(name)
  else fields.set(name, text)
}

/** Stands for a missing hash; never written to. */
const noHash: Hash = { _tag: "hash", fields: new Map(), expiresAt: undefined }
