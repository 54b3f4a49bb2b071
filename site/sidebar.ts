/**
 * The order of the pages. Each entry is a page of `docs/` without `.md`; its text is the page's title. `folder/*` is the rest of the pages of
 * a folder, by their titles. A test fails if a page is in no group.
 */
export interface Group {
  readonly text: string
  readonly pages: ReadonlyArray<string>
}

export const groups: ReadonlyArray<Group> = [
  { text: "Start", pages: ["start", "models", "transactions", "testing"] },
  {
    text: "Recipes",
    pages: ["recipes/README", "recipes/rate-limit", "recipes/sessions", "recipes/cache", "recipes/*"]
  },
  {
    text: "Guides",
    pages: [
      "modify",
      "locks",
      "indexes",
      "queries",
      "ranking",
      "aggregates",
      "live",
      "topics",
      "time-to-live",
      "bulk",
      "slots",
      "types",
      "effect-modules"
    ]
  },
  {
    text: "Fields",
    pages: [
      "README",
      "text",
      "numbers",
      "booleans",
      "dates",
      "bytes",
      "optional",
      "lists",
      "sets",
      "maps",
      "sorted-sets",
      "structs",
      "json"
    ]
  },
  {
    text: "Operations",
    pages: [
      "production",
      "layers",
      "server",
      "cluster",
      "sentinel",
      "where-it-runs",
      "telemetry",
      "errors",
      "failure",
      "troubleshooting",
      "performance"
    ]
  },
  { text: "Coming from", pages: ["coming-from/README", "coming-from/ioredis", "coming-from/*"] }
]
