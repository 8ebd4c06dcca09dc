// Follows what settles, shows it in a grid, and says how fast rows come and frames are drawn.
import { Grid } from "./grid.js";

const place = document.getElementById("grid");
const word = (name) => place.dataset[name];
const grouped = (text) => text.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");
const number = (text) => Number.parseFloat(text ?? "") || 0;
const result = (row) => (row.agrees === null ? `– ${word("unknown")}` : row.agrees ? `✓ ${word("agrees")}` : `▲ ${word("differs")}`);

const columns = [
  { key: "block", number: true, text: (row) => grouped(String(row.block)), order: (row) => row.block },
  { key: "kind", text: (row) => word(row.kind) },
  { key: "who", text: (row) => row.who },
  { key: "asset", text: (row) => row.asset },
  { key: "change", number: true, text: (row) => grouped(row.change), order: (row) => number(row.change) },
  { key: "ledger", number: true, text: (row) => grouped(row.ledger), order: (row) => number(row.ledger) },
  { key: "own", number: true, text: (row) => (row.own_book === null ? "–" : grouped(row.own_book)), order: (row) => number(row.own_book) },
  { key: "result", text: result, alarm: (row) => row.agrees === false },
  { key: "about", text: (row) => row.about },
].map((column) => ({ ...column, word: word(`column${column.key[0].toUpperCase()}${column.key.slice(1)}`) }));

// Of the last second: how many rows came, and how long each frame took.
const measured = { rows: [], frames: [], taken: 0, total: 0, said: 0, last: 0, longest: 0 };
const figures = Object.fromEntries(
  ["rows", "frames", "longest", "total", "unseen", "kept"].map((name) => [name, document.getElementById(`figure-${name}`)]),
);
const show = (name, text) => {
  if (figures[name].textContent !== text) figures[name].textContent = text;
};

const grid = new Grid(place, columns, {
  onDraw(now, taken) {
    if (measured.last) measured.frames.push([now, now - measured.last]);
    measured.last = now;
    measured.rows.push([now, taken]);
    measured.total += taken;
    for (const some of [measured.rows, measured.frames]) while (some[0]?.[0] < now - 1000) some.shift();
    if (now - measured.said < 500) return;
    measured.said = now;
    show("rows", measured.rows.reduce((sum, [, count]) => sum + count, 0).toLocaleString("en"));
    show("frames", String(measured.frames.length));
    show("longest", `${Math.round(Math.max(0, ...measured.frames.map(([, length]) => length)))} ms`);
    show("total", measured.total.toLocaleString("en"));
    show("kept", (grid.end - grid.first).toLocaleString("en"));
    show("unseen", grid.unseen.toLocaleString("en"));
    newer.hidden = !grid.unseen;
  },
});

const newer = document.getElementById("newer");
newer.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", "false");
  grid.pause(false);
});

const pause = document.getElementById("pause");
pause.addEventListener("click", () => {
  const isPaused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? `▶ ${word("resume")}` : `❚❚ ${word("pause")}`;
  grid.pause(isPaused);
});

const filter = document.getElementById("filter");
filter.addEventListener("input", () => grid.only(filter.value));
document.getElementById("filter-form").addEventListener("submit", (event) => event.preventDefault());

// The last row of each source that was shown: after a lost connection some come again.
const shown = new Map();
function isNew(row) {
  const [source, at] = row.row.split(".");
  const place = Number.parseInt(at.replace("p", ""), 10);
  const known = `${source}${at[0] === "p" ? "p" : ""}`;
  if (shown.get(known) >= place) return false;
  shown.set(known, place);
  if (shown.size > 2000) shown.delete(shown.keys().next().value);
  return true;
}

const connection = document.getElementById("connection");
const source = new EventSource(`/v1/reconciliation/stream?last_event_id=${place.dataset.after}`);
source.addEventListener("open", () => {
  connection.textContent = `● ${word("live")}`;
  connection.className = "agrees";
});
source.addEventListener("error", () => {
  connection.textContent = `▲ ${word("lost")}`;
  connection.className = "differs";
});
source.addEventListener("message", (event) => grid.add(JSON.parse(event.data).filter(isNew)));
window.addEventListener("pagehide", () => source.close());
