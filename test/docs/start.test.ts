/**
 * The test that docs/start.md shows is run here as a part of this file, over the program of the page.
 */
import { afterAll, assert, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describeMemory } from "../support/Backends.ts"
import * as Doctest from "../support/doctest.ts"
import { moduleOf, root, textOf } from "./pageModule.ts"

const page = "docs/start.md"
const shown = /^```ts test\n(.*?)^```$/ms.exec(textOf(page))?.[1] ?? ""

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const directory = Effect.runSync(Scope.provide(Doctest.temporaryProject(root, { include: ["*.ts"] }), scope))
writeFileSync(join(directory, "shop.ts"), moduleOf(page))
writeFileSync(join(directory, "shop.test.ts"), shown)

describeMemory("the start page", () => {
  it("shows tests", () => {
    assert.isAbove(shown.split("it.effect(").length, 2)
  })

  it.live("shows tests that compile", () =>
    Effect.gen(function*() {
      const { output, status } = yield* Doctest.typeCheck(root, directory, ["--noUnusedLocals", "false"])
      assert.strictEqual(status, 0, output)
    }), 60_000)
})

describeMemory("a test of the start page", () => import(/* @vite-ignore */ join(directory, "shop.test.ts")))
