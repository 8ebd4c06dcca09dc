// Says when the server no longer answers, and leads to the sign-in when the session is over.
const line = document.getElementById("status");

document.addEventListener("htmx:error", () => {
  if (!line) return;
  line.classList.add("stale");
  line.textContent = `▲ ${line.dataset.stale}`;
});

document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response.status === 401) location.reload();
  line?.classList.remove("stale");
});
