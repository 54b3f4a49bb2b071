/**
 * One program on a store. What is stored is changed in place. What is made anew, what is deleted and when what expires is only
 * noted, and stored when all has succeeded. Every change is journalled, notes too: a part of a program may be undone, and the
 * program go on.
 */
import { type EntitySpec, type FieldSpec, isEntitySpec, type Spec } from "../instruction/spec.ts"
import { mistyped } from "./stop.ts"
import { type Entry, entryOf, type Hash, sizeOf, type Store, textsOf } from "./store.ts"

/** @internal */
export interface Entity {
  readonly key: string
  hash: Hash
  /** before the program */
  readonly stored: boolean
  exists: boolean
  /** at which instruction it was written last */
  written: number | undefined
  /** as the program leaves it */
  expiresAt: number | undefined
  /** the collections that have been given that expiry, and the hash with them */
  expiring: ReadonlySet<string> | undefined
}

/** @internal */
export interface Collection {
  readonly key: string
  readonly entity: Entity
  entry: Entry
  /** what it should be */
  readonly tag: Entry["_tag"]
  /** of another kind: it can go, at the end, and nothing else */
  readonly isForeign: boolean
  /** before the program */
  readonly stored: boolean
}

const maximumVersion = 2n ** 63n - 1n

/** A stored version grows by one with each program that writes; one stored by hand has none, which counts as 0. */
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
  /** in microseconds */
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

  /** in whole milliseconds */
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

  /** Of any kind. */
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

  /** Of an entity that is read as a whole. */
  texts(entity: Entity, spec: FieldSpec): ReadonlyArray<string> {
    const { entry, isForeign, tag } = this.part(entity, spec)
    return isForeign && entry._tag !== tag ? mistyped(spec.field) : textsOf(entry)
  }

  /** Of an entity that is written as a whole: nothing can take the place of anything. */
  refill(entity: Entity, spec: FieldSpec, texts: ReadonlyArray<string>, other?: boolean): void {
    this.replace(texts.length === 0 ? this.part(entity, spec) : this.collection(entity, spec, other), texts)
  }

  /** Before the first change: the version grows, or says that it is none. */
  touch(entity: Entity): void {
    const isFirst = entity.written === undefined
    if (isFirst && !entity.stored) {
      const version = Math.max(this.now, this.store.lastVersion + 1)
      this.note(this.store, "lastVersion", version)
      this.note(entity, "hash", { _tag: "hash", fields: new Map([["$v", String(version)]]), expiresAt: undefined })
    } else if (isFirst) {
      this.setField(entity.hash, "$v", nextVersion(entity.hash.fields.get("$v")))
    }
    // afterwards any step that is past does
    if (isFirst) this.note(entity, "written", this.step)
    else entity.written = this.step
  }

  /** One that goes, and is made again within the same moment, begins above where it was. */
  outdate(entity: Entity): void {
    const version = Number(entity.hash.fields.get("$v"))
    // others may have stored one too large to count on from
    if (version < 2 ** 52) this.note(this.store, "lastVersion", Math.max(version, this.store.lastVersion))
  }

  /** In place of all that an entity has. One that is not there begins, and lives as long as it is told. */
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

  /** An entity and its collections expire at one time. */
  expire(entity: Entity, spec: Spec, at: number | undefined): void {
    const names = new Set(entity.expiring)
    for (const { field: f } of isEntitySpec(spec) ? spec.collections : []) names.add(f)
    for (const name of spec.expiry?.collections ?? []) names.add(name)
    this.note(entity, "expiring", names)
    this.note(entity, "expiresAt", at)
  }

  /** After an instruction that was asked to: what has no expiry keeps none. */
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

  /** Changes what is not stored. */
  note<A, K extends keyof A>(target: A, name: K, value: A[K]): void {
    const before = target[name]
    target[name] = value
    this.journal.push(() => {
      target[name] = before
    })
  }

  /** All changes since the journal was as long as this. */
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
    // more than it can have stored
    this.store.sweep(this.now / 1000, 20 + this.entities.size + this.collections.size)
  }
}

const put = (fields: Map<string, string>, name: string, text: string | false): void => {
  if (text === false) fields.delete(name)
  else fields.set(name, text)
}

/** of what is not there: never written to */
const noHash: Hash = { _tag: "hash", fields: new Map(), expiresAt: undefined }
