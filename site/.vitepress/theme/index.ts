import type { Theme as ThemeType } from "vitepress"
import Theme from "vitepress/theme-without-fonts"
import Front from "./Front.vue"
import Playground from "./Playground.vue"
import "./style.css"

export default {
  extends: Theme,
  enhanceApp: ({ app }) => {
    app.component("Front", Front)
    app.component("Playground", Playground)
  }
} satisfies ThemeType
