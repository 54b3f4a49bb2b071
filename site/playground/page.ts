/**
 * The page of the playground: an editor, a program's output, and its errors. A program runs in a worker, so it can always be stopped.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { javascript } from "@codemirror/lang-javascript"
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language"
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint"
import { EditorState } from "@codemirror/state"
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view"
import { tags } from "@lezer/highlight"
import { transform } from "sucrase"
import type { Checked, Problem, RuntimeMessage } from "./messages.ts"

/** A program that is not done by then is ended. */
const maximumSeconds = 10

/** A program's output is cut after so many lines. */
const maximumLines = 1000

/** The time after the last key until a text is checked. */
const debounceMillis = 250

interface Program {
  readonly name: string
  readonly title: string
  readonly text: string
}

const programs: ReadonlyArray<Program> = Object.entries(
  import.meta.glob<string>("./programs/*.ts", { query: "?raw", import: "default", eager: true })
).map(([path, text]) => ({
  name: /\d-([\w-]+)\.ts$/.exec(path)![1]!,
  title: /^\/\/ (.*)\.\n/.exec(text)![1]!,
  text
}))

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], class: "tok-keyword" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "tok-string" },
  { tag: [tags.number, tags.bool, tags.null], class: "tok-number" },
  { tag: [tags.comment], class: "tok-comment" },
  { tag: [tags.typeName, tags.className], class: "tok-type" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], class: "tok-function" }
])

/** JavaScript for the body of an async function, or the first mistake of the text. */
const compile = (text: string): { readonly code: string } | { readonly problem: Problem } => {
  try {
    return { code: transform(text, { transforms: ["typescript", "imports"], disableESTransforms: true }).code }
  } catch (error) {
    const { message, pos } = error as { readonly message: string; readonly pos?: number }
    const from = Math.min(pos ?? 0, text.length)
    return {
      problem: {
        from,
        to: Math.min(from + 1, text.length),
        message: message.replace(/^Error transforming [^:]*: /, "")
      }
    }
  }
}

const element = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[Name] => {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Shows the playground in an element. Returns what ends it. */
export const mount = (place: HTMLElement, assets: URL): () => void => {
  const chosen = element(
    "select",
    { id: "program" },
    ...programs.map(({ name, title }) => element("option", { value: name }, title))
  )
  const run = element("button", { type: "button", id: "run", className: "first" }, "Run")
  const stop = element("button", { type: "button", id: "stop", disabled: true }, "Stop")
  const reset = element("button", { type: "button", id: "reset" }, "Reset")
  const editing = element("div", { id: "editor" })
  const problems = element("ul", { id: "problems" })
  problems.setAttribute("aria-label", "Mistakes")
  const checking = element("p", { id: "checking" }, "Types are checked as soon as you change the program.")
  const output = element("pre", { id: "output", tabIndex: 0 })
  output.setAttribute("aria-label", "Output")
  const state = element("p", { id: "state", role: "status" }, "Ready.")
  place.replaceChildren(
    element(
      "div",
      { className: "playground-bar" },
      element("label", { htmlFor: "program" }, "Program"),
      chosen,
      run,
      stop,
      reset
    ),
    element(
      "div",
      { className: "playground-panes" },
      element("section", { className: "playground-pane" }, editing, problems, checking),
      element("section", { className: "playground-pane" }, output, state)
    )
  )

  let runtime: Worker | undefined
  let timeout: number | undefined
  const end = (words: string): void => {
    runtime?.terminate()
    runtime = undefined
    clearTimeout(timeout)
    stop.disabled = true
    state.textContent = words
  }

  let lines = 0
  const write = (text: string, className = ""): void => {
    if (lines++ > maximumLines) return
    output.append(element("span", { className }, lines > maximumLines ? "… more lines are not shown\n" : `${text}\n`))
  }

  const start = (): void => {
    end("")
    output.replaceChildren()
    lines = 0
    const compiled = compile(editor.state.doc.toString())
    if ("problem" in compiled) {
      show([compiled.problem])
      end("It does not run: it has a mistake.")
      return
    }
    state.textContent = "Running …"
    stop.disabled = false
    // on a narrow screen it is below the program
    state.scrollIntoView({ block: "nearest" })
    const worker = new Worker(new URL("runtime.js", assets))
    runtime = worker
    timeout = window.setTimeout(
      () => end(`Ended, because it took longer than ${maximumSeconds} seconds.`),
      maximumSeconds * 1000
    )
    worker.onerror = ({ message }) => end(`The runtime can't be loaded: ${message}`)
    worker.onmessage = ({ data }: MessageEvent<RuntimeMessage>) => {
      if (data._tag === "Line") return write(data.text, data.level)
      if (data._tag === "Done") return end(`Done in ${Math.round(data.millis)} ms.`)
      write(`${data.tag}${data.message === "" ? "" : `: ${data.message}`}`, "error tag")
      if (data.fields !== "") write(data.fields, "error")
      end(`Failed with ${data.tag}.`)
    }
    worker.postMessage(compiled.code)
  }

  const show = (found: ReadonlyArray<Problem>): void => {
    const { doc } = editor.state
    const diagnostics = found.map(({ from, message, to }): Diagnostic => ({
      from: Math.min(from, doc.length),
      to: Math.min(Math.max(to, from + 1), doc.length),
      severity: "error",
      message
    }))
    editor.dispatch(setDiagnostics(editor.state, diagnostics))
    problems.replaceChildren(
      ...diagnostics.slice(0, 5).map(({ from, message }) => {
        const line = doc.lineAt(from)
        const go = element("button", { type: "button" }, `line ${line.number}`)
        go.onclick = () => {
          editor.dispatch({ selection: { anchor: from }, scrollIntoView: true })
          editor.focus()
        }
        return element("li", {}, go, element("span", {}, message))
      })
    )
  }

  let checker: Worker | undefined
  let version = 0
  const startChecker = (): Worker => {
    const worker = new Worker(new URL("checker.js", assets))
    checking.textContent = "The type checker is loading …"
    worker.onmessage = ({ data }: MessageEvent<Checked>) => {
      if (data.version !== version) return
      show(data.problems)
      checking.textContent = data.problems.length === 0 ? "The types are right." : `${data.problems.length} mistakes.`
      if (data.problems.length === 1) checking.textContent = "1 mistake."
    }
    worker.onerror = ({ message }) => {
      checking.textContent = `The type checker can't be loaded: ${message}`
    }
    return worker
  }

  let waiting: number | undefined
  const changed = (): void => {
    version++
    clearTimeout(waiting)
    waiting = window.setTimeout(() => {
      const text = editor.state.doc.toString()
      const compiled = compile(text)
      // the checker finds it too, and all others, as soon as it is loaded
      if ("problem" in compiled) show([compiled.problem])
      checker ??= startChecker()
      checker.postMessage({ version, text })
    }, debounceMillis)
  }

  const editor = new EditorView({
    parent: editing,
    state: EditorState.create({
      doc: programs[0]!.text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        javascript({ typescript: true }),
        syntaxHighlighting(highlight),
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({ "aria-label": "The program" }),
        keymap.of([
          { key: "Mod-Enter", run: () => (start(), true) },
          ...lintKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          // Escape, then Tab leaves the editor
          indentWithTab
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed()
        })
      ]
    })
  })

  const choose = (): void => {
    const { text } = programs.find(({ name }) => name === chosen.value)!
    end("Ready.")
    output.replaceChildren()
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } })
    show([])
  }
  chosen.onchange = choose
  reset.onclick = choose
  run.onclick = start
  stop.onclick = () => end("Stopped.")

  return () => {
    end("")
    clearTimeout(waiting)
    checker?.terminate()
    editor.destroy()
  }
}
