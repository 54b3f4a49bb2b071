/** The part of Vite's `import.meta` that the page uses. */
interface ImportMeta {
  readonly glob: <A>(
    pattern: string,
    options: { readonly query: string; readonly import: string; readonly eager: true }
  ) => Record<string, A>
}

declare module "*.vue" {
  import type { Component } from "vue"
  const component: Component
  export default component
}

declare module "*.css" {}
