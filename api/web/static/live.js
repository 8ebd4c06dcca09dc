// Fetches the changing part of the page again, without losing the reader's place.
const SECONDS = 2;
const main = document.querySelector("[data-part]");
const status = document.querySelector(".status");

// state: "live", "stopped" (the server says so) or "stale" (the server does not answer).
function show(state) {
  status.classList.toggle("stale", state !== "live");
  status.textContent = status.dataset[state];
}

async function refresh() {
  if (document.hidden || main.querySelector("select:focus")) return;
  try {
    const answer = await fetch(main.dataset.part, { cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok && answer.status !== 503) throw new Error(answer.statusText);
    main.innerHTML = await answer.text();
    show(answer.ok ? "live" : "stopped");
  } catch {
    show("stale");
  }
}

if (main) setInterval(refresh, SECONDS * 1000);
