// The page of the leaderboard. The server sends the whole board whenever it has changed; the page shows the last one.
// Names are other people's: they are text (`textContent`), and never markup.

const $ = (id) => document.getElementById(id)
const number = new Intl.NumberFormat("en", { signDisplay: "negative" })
const signed = new Intl.NumberFormat("en", { signDisplay: "exceptZero" })
const format = (value) => number.format(value).replace("-", "−")
const formatSigned = (value) => signed.format(value).replace("-", "−")
const plural = (count, noun) => `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")
const retryMillis = 1000
/** The server sends something every 10 seconds. */
const silenceMillis = 25_000
const pauseMillis = 700

/** What is chosen, as in the address of the page. */
const chosen = {
  league: new URLSearchParams(location.search).get("league"),
  player: new URLSearchParams(location.search).get("player")
}

const setText = (element, text) => {
  // a live region announces what is set, even if it is the same
  if (element.textContent !== text) element.textContent = text
}

const make = (tag, className, text = "") => {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}

/** A name that chooses its player. */
const makeName = (name) => {
  const button = make("button", "name", name)
  button.type = "button"
  button.dir = "auto"
  button.addEventListener("click", () => choosePlayer(name))
  return button
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests
// ---------------------------------------------------------------------------------------------------------------------

const request = async (path, body) => {
  const response = await fetch(path, {
    signal: AbortSignal.timeout(8000),
    ...(body === undefined ? undefined : {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.message)
  return answer
}

const pathOf = (what) => `/leagues/${encodeURIComponent(chosen.league)}/${what}`

// ---------------------------------------------------------------------------------------------------------------------
// The connection
// ---------------------------------------------------------------------------------------------------------------------

const showConnection = (state, text) => {
  $("connection").dataset.state = state
  setText($("connection"), text)
}

let source
let timer
/** The number of the last attempt: answers to earlier ones are late, and left out. */
let attempt = 0

const disconnect = () => {
  attempt++
  clearTimeout(timer)
  source?.close()
}

const reconnect = (text) => {
  disconnect()
  showConnection("lost", text)
  timer = setTimeout(connect, retryMillis)
}

const heard = () => {
  clearTimeout(timer)
  timer = setTimeout(() => reconnect("No sign of the server. Reconnecting…"), silenceMillis)
}

/** Asks for what is chosen, and shows it until something else is. It begins again by itself. */
const connect = async () => {
  disconnect()
  const mine = attempt
  try {
    if (leagues.length === 0) showLeagues(await request("/leagues"))
    const names = await request(pathOf("players"))
    if (mine !== attempt) return
    showNames(names)
  } catch {
    if (mine === attempt) reconnect("The server does not answer. Reconnecting…")
    return
  }
  history.replaceState(null, "", `?${new URLSearchParams(chosen.player === null ? { league: chosen.league } : chosen)}`)
  source = new EventSource(pathOf(`events?${new URLSearchParams(chosen.player === null ? {} : { player: chosen.player })}`))
  source.addEventListener("board", ({ data }) => {
    heard()
    showConnection("live", "Live")
    showBoard(JSON.parse(data))
  })
  source.addEventListener("trouble", () => {
    heard()
    showConnection("lost", "The server cannot read the ranking. Trying again…")
  })
  source.addEventListener("beat", heard)
  source.addEventListener("error", () => reconnect("The connection is lost. Reconnecting…"))
  heard()
}

// a page that nobody sees holds no connection: a browser has six for a server
addEventListener("visibilitychange", () => document.visibilityState === "visible" ? connect() : disconnect())

// ---------------------------------------------------------------------------------------------------------------------
// What is chosen
// ---------------------------------------------------------------------------------------------------------------------

let leagues = []

const showLeagues = (names) => {
  leagues = names
  if (!leagues.includes(chosen.league)) chosen.league = leagues[0]
  for (const name of leagues) {
    const label = document.createElement("label")
    const input = document.createElement("input")
    Object.assign(input, { type: "radio", name: "league", value: name, checked: name === chosen.league })
    input.addEventListener("change", () => {
      chosen.league = name
      connect()
    })
    label.append(input, name)
    $("leagues").firstElementChild.append(label)
  }
}

const showNames = (names) => {
  if (!names.includes(chosen.player)) chosen.player = names[0] ?? null
  const select = $("player")
  const shown = [...select.options].map(({ value }) => value)
  if (shown.join("\n") !== names.join("\n")) select.replaceChildren(...names.map((name) => new Option(name, name)))
  select.value = chosen.player ?? ""
  setText($("play-chosen"), chosen.player === null ? "Let the player win" : `Let ${chosen.player} win`)
}

const choosePlayer = (name) => {
  chosen.player = name
  connect()
}

$("player").addEventListener("change", ({ target }) => choosePlayer(target.value))

// ---------------------------------------------------------------------------------------------------------------------
// The board
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Puts elements into an order without touching the one that has the focus, because an element that is moved loses it, and lets those
 * whose place has changed glide there.
 */
const arrange = (list, elements) => {
  const old = new Map([...list.children].map((element) => [element, element.getBoundingClientRect().top]))
  for (const element of old.keys()) {
    if (elements.includes(element)) continue
    if (element.contains(document.activeElement)) $("ranking-title").focus({ preventScroll: true })
    element.remove()
  }
  if (elements.some((element, i) => list.children[i] !== element)) {
    const focused = elements.find((element) => element.contains(document.activeElement))
    const place = elements.indexOf(focused)
    elements.forEach((element, i) => {
      if (i < place) focused.before(element)
      else if (i !== place) list.append(element)
    })
  }
  if (reducedMotion.matches) return
  for (const element of elements) element.glide?.cancel()
  for (const element of elements) {
    const top = element.getBoundingClientRect().top
    const before = old.get(element)
    if (before === top) continue
    element.glide = before === undefined
      ? element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 300 })
      : element.animate([{ transform: `translateY(${before - top}px)` }, { transform: "none" }], {
        duration: 450,
        easing: "cubic-bezier(0.2, 0, 0, 1)"
      })
  }
}

const showChange = (element, difference) => {
  element.textContent = formatSigned(difference)
  element.dataset.sign = difference > 0 ? "up" : "down"
  // fading is no motion
  element.animate([{ opacity: 1 }, { opacity: 1, offset: 0.7 }, { opacity: 0 }], 2500)
}

const makeRow = (name) => {
  const row = document.createElement("tr")
  const header = make("td", "player")
  header.append(makeName(name))
  const score = make("td", "score")
  const change = make("span", "change")
  change.ariaHidden = "true"
  score.append(change, make("span", "points"))
  row.append(make("td", "rank"), header, make("td", "games"), score)
  return row
}

let rows = new Map()
let neighbours = new Map()
let shownLeague

const showTop = ({ league, top }) => {
  if (league !== shownLeague) {
    rows = new Map()
    neighbours = new Map()
  }
  const before = rows
  rows = new Map(top.map(({ name }) => [name, before.get(name) ?? makeRow(name)]))
  for (const { losses, name, score, wins } of top) {
    const row = rows.get(name)
    const [rank, player, games, points] = row.children
    // players of equal scores share a rank
    rank.textContent = 1 + top.filter((other) => other.score > score).length
    player.firstChild.ariaPressed = String(name === chosen.player)
    row.toggleAttribute("data-chosen", name === chosen.player)
    games.textContent = `${wins}–${losses}`
    if (before.has(name) && row.score !== score) showChange(points.firstChild, score - row.score)
    points.lastChild.textContent = format(score)
    row.score = score
  }
  arrange($("top"), [...rows.values()])
}

const makeNeighbour = (name) => {
  const item = document.createElement("li")
  item.append(makeName(name), make("span", "difference"), make("span", "points"))
  return item
}

const showPlayer = ({ player, players }) => {
  setText($("rank"), player === null ? "–" : number.format(player.rank))
  setText($("of"), player === null ? "" : `of ${number.format(players)}`)
  setText(
    $("record"),
    player === null ? "" : [
      plural(player.score, "point").replace("-", "−"),
      `${player.wins} won`,
      `${player.losses} lost`,
      ...(player.streak > 1 ? [`${player.streak} in a row`] : [])
    ].join(" · ")
  )
  const achievements = player?.achievements ?? []
  if (achievements.join() !== [...$("achievements").children].map(({ textContent }) => textContent).join()) {
    $("achievements").replaceChildren(...achievements.map((text) => make("li", "", text)))
  }
  const around = player?.around ?? []
  const before = neighbours
  neighbours = new Map(around.map(({ name }) => [name, before.get(name) ?? makeNeighbour(name)]))
  for (const { name, score } of around) {
    const item = neighbours.get(name)
    const [, difference, points] = item.children
    const isChosen = name === player.name
    const distance = score - player.score
    if (isChosen) item.ariaCurrent = "true"
    else item.ariaCurrent = null
    difference.textContent = isChosen ? "" : distance === 0 ? "level" : `${format(Math.abs(distance))} ${distance > 0 ? "ahead" : "behind"}`
    points.textContent = format(score)
  }
  arrange($("neighbours"), [...neighbours.values()])
}

let players

const showBoard = (board) => {
  showTop(board)
  showPlayer(board)
  setText($("leader"), board.top.length === 0 ? "" : `${board.top[0].name} leads`)
  setText($("players"), `${plural(board.players, "player")} in the ${board.league} league`)
  // someone has joined, perhaps on another page
  if (board.league === shownLeague && players !== board.players) request(pathOf("players")).then(showNames, () => {})
  shownLeague = board.league
  players = board.players
}

// ---------------------------------------------------------------------------------------------------------------------
// Playing
// ---------------------------------------------------------------------------------------------------------------------

const showNews = (text, state = "done") => {
  $("news").dataset.state = state
  $("news").textContent = text
}

const play = async (body) => {
  try {
    const { achievements, loser, points, winner } = await request(pathOf("games"), body)
    const earned = achievements.length === 0 ? "" : ` New: ${achievements.join(", ")}.`
    showNews(`${winner} beat ${loser} and took ${plural(points, "point")}.${earned}`)
  } catch {
    showNews("The server did not answer, so the game may not count.", "failed")
  }
}

$("play-random").addEventListener("click", () => play({}))
$("play-chosen").addEventListener("click", () => play(chosen.player === null ? {} : { winner: chosen.player }))

let isPlaying = false

$("keep-playing").addEventListener("change", async () => {
  // news that never end would be read aloud without end
  $("news").ariaLive = $("keep-playing").checked ? "off" : "polite"
  if (isPlaying) return
  isPlaying = true
  while ($("keep-playing").checked) {
    await play({})
    await new Promise((resolve) => setTimeout(resolve, pauseMillis))
  }
  isPlaying = false
})

$("join").addEventListener("submit", async (event) => {
  event.preventDefault()
  try {
    const { name } = await request(pathOf("players"), { name: $("name").value })
    event.target.reset()
    showNews(`${name} has joined.`)
    choosePlayer(name)
  } catch (error) {
    showNews(`Nobody has joined: ${error.message}`, "failed")
  }
})

connect()
