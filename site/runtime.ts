/** The bundle in which the playground runs programs: redlayer, and a part of Effect. */
import { build, type BuildOptions } from "esbuild"
import * as Path from "node:path"

/** How the files of the playground are bundled. */
export const options = {
  bundle: true,
  format: "iife",
  platform: "browser",
  target: "es2022",
  minify: true,
  legalComments: "none",
  metafile: true,
  conditions: ["redlayer-source"],
  logLevel: "error"
} satisfies BuildOptions

/** Bundles the runtime of the playground. */
export const bundleRuntime = () =>
  build({ ...options, entryPoints: [Path.join(import.meta.dirname, "playground/runtime.ts")], write: false })
