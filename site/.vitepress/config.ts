import { defineConfig } from "vitepress"
import { apiPages } from "../api.ts"
import { sidebar } from "../pages.ts"

/** The anchor of a heading, as GitHub makes it, so that one link is right on both. */
const slugify = (text: string): string =>
  encodeURIComponent(text.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "").replaceAll(" ", "-"))

const icon = `data:image/svg+xml,${
  encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g fill="#b3382c"><path d="M3 18l13 6 13-6v4l-13 6-13-6z" opacity=".55"/><path d="M16 3l13 7-13 7-13-7z"/></g></svg>`
  )
}`

export default defineConfig({
  lang: "en",
  title: "redlayer",
  description: "Typed Redis entities for Effect, and transactions that roll back.",
  base: process.env.REDLAYER_SITE_BASE ?? "/",
  srcDir: ".pages",
  outDir: "dist",
  cacheDir: ".cache",
  head: [["link", { rel: "icon", type: "image/svg+xml", href: icon }]],
  markdown: {
    anchor: { slugify },
    theme: { light: "github-light-high-contrast", dark: "github-dark-dimmed" }
  },
  ignoreDeadLinks: "localhostLinks",
  vite: {
    // the files of the playground are made by esbuild, and are the same in both modes
    publicDir: "../.public",
    build: { chunkSizeWarningLimit: 4000 },
    server: { fs: { allow: [".."] } }
  },
  themeConfig: {
    logo: { src: icon, alt: "" },
    nav: [
      { text: "Docs", link: sidebar()[0]!.items[0]!.link, activeMatch: "^/(?!api/|playground|changelog|$)" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Playground", link: "/playground" },
      { text: "Changelog", link: "/changelog" }
    ],
    sidebar: {
      "/api/": [{ text: "API", items: [...apiPages()] }],
      "/": [
        ...sidebar(),
        {
          text: "More",
          items: [
            { text: "API", link: "/api/" },
            { text: "Conformance suite", link: "/conformance" },
            { text: "Changelog", link: "/changelog" }
          ]
        }
      ]
    },
    outline: { level: [2, 3] },
    search: {
      provider: "local",
      options: {
        detailedView: true,
        // the index has the words of the code, and no colours, which take most of the time
        _render: (text, env, md) => {
          const { highlight } = md.options
          md.options.highlight = null
          try {
            return md.render(text, env)
          } finally {
            md.options.highlight = highlight
          }
        },
        miniSearch: {
          searchOptions: {
            // a page that explains a thing comes before the reference
            boostDocument: (id) =>
              /\/(changelog|conformance)\b/.test(id) ? 0.4 : /\/(api|coming-from)\//.test(id) ? 0.7 : 1,
            fuzzy: 0.1,
            prefix: true,
            boost: { title: 6, text: 1, titles: 2 }
          }
        }
      }
    },
    editLink: {
      pattern: ({ frontmatter }) => frontmatter.editLink as string,
      text: "Change this page"
    },
    socialLinks: [{ icon: "github", link: "https://github.com/redlayer/redlayer" }],
    footer: { message: "MIT", copyright: "redlayer contributors" }
  }
})
