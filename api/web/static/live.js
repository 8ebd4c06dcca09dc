// Fetches the changing part of the page again, without losing the reader's place.
const SECONDS = 2;
const main = document.querySelector("[data-part]");
const status = document.querySelector(".status");

function show(isLive) {
  status.classList.toggle("stale", !isLive);
  status.textContent = isLive ? status.dataset.live : status.dataset.stale;
}

async function refresh() {
  if (document.hidden || main.querySelector("select:focus")) return;
  try {
    const answer = await fetch(main.dataset.part, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    main.innerHTML = await answer.text();
    show(true);
  } catch {
    show(false);
  }
}

if (main) setInterval(refresh, SECONDS * 1000);
