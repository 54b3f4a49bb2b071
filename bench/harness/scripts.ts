/**
 * The hand-written scripts of contenders.
 */
import { readFileSync } from "node:fs"

/** The text of `bench/scripts/NAME.lua`. */
export const scriptOf = (name: string): string =>
  readFileSync(new URL(`../scripts/${name}.lua`, import.meta.url), "utf8")
