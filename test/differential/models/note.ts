/**
 * A generated id; nothing lets it live on.
 */
import { Schema } from "effect"
import { Model } from "redlayer"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase } from "../modelDescription.ts"
import { absent, build, float, integer, listOf, patchOf, text, texts } from "../storedTexts.ts"

export const Note = Model.make("Note", {
  body: Schema.String.check(Schema.isMaxLength(6)),
  views: Schema.Int.check(Schema.isLessThanOrEqualTo(60)).pipe(Model.withDefault(0)),
  marks: Schema.Array(Schema.Finite).check(Schema.isMinLength(2)),
  visits: Schema.Array(Schema.Int).check(Schema.isMaxLength(3))
}, { timeToLive: { duration: "20 days", refresh: "never" } })

const noteFields = {
  body: text(0, 6),
  views: absent(integer(-50, 50)),
  marks: listOf(float(-5, 5), 2, 4),
  visits: listOf(integer(-50, 50), 0, 3)
}

const note = fieldsOf<Model.Ref<typeof Note>>()

export const noteCase: ModelCase = {
  name: "Note",
  model: Note as Model.Any,
  ids: (world) => [[`w${world}`, `Note:{w${world}}`], [`w${world}"`, `Note:{w${world}%22}`]],
  entity: (random, id) => ({ ...(random.chance(0.2) ? undefined : { id }), ...build(noteFields)(random) }),
  patch: (random) => random.wild() ? { id: "another" } : patchOf(noteFields)(random),
  fields: [
    note.scalar("body", "text", (ref) => ref.body, Op.text(text(0, 6)), texts.short(0, 6)),
    note.scalar(
      "views",
      "integer",
      (ref) => ref.views,
      Op.number(integer(-50, 50), true),
      texts.integer(-50, 50)
    ),
    note.list(
      "marks",
      "number",
      (ref) => ref.marks,
      Collection.list(float(-5, 5), listOf(float(-5, 5), 2, 4)),
      Op.number(float(-5, 5), false),
      texts.number(-5, 5)
    ),
    note.list(
      "visits",
      "integer",
      (ref) => ref.visits,
      Collection.list(integer(-50, 50), listOf(integer(-50, 50), 0, 3)),
      Op.number(integer(-50, 50), true),
      texts.integer(-50, 50)
    )
  ]
}
