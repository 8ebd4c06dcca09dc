// A table of rows that keep coming: the last 20,000 are kept, and only those in sight are elements.
// Rows are taken in and drawn once a frame, however many arrive. The newest stand above.

const ROW_HEIGHT = 28;
const ROWS_KEPT = 20_000;
const SORT_EVERY_MS = 400;
const SPARE_ROWS = 4;

export class Grid {
  // columns: [{key, word, number, text(row), alarm(row), order(row)}]
  constructor(host, columns, { kept = ROWS_KEPT, onDraw = () => {} } = {}) {
    this.host = host;
    this.columns = columns;
    this.kept = kept;
    this.onDraw = onDraw;
    this.ring = new Array(kept);
    this.first = 0;
    this.end = 0;
    this.view = null; // Numbers of rows in the order shown; null: all, the newest first.
    this.heldEnd = null; // Where the rows end that are shown while somebody reads; null: at the last.
    this.filter = "";
    this.sorted = null;
    this.isDescending = false;
    this.isPaused = false;
    this.mustArrange = false;
    this.arrangedAt = 0;
    this.active = 0;
    this.drawn = new Map();
    this.spare = [];
    this.waiting = [];
    this.build();
    this.frame = this.frame.bind(this);
    requestAnimationFrame(this.frame);
  }

  build() {
    const head = element("div", "grid-row grid-head", { role: "row", "aria-rowindex": "1" });
    this.heads = this.columns.map((column) => {
      const cell = element("div", cellClass(column), { role: "columnheader", "aria-sort": "none" });
      const button = element("button", "", { type: "button" });
      button.textContent = column.word;
      button.addEventListener("click", () => this.sortBy(column));
      cell.append(button);
      head.append(cell);
      return cell;
    });
    this.body = element("div", "grid-body", { role: "rowgroup" });
    const headGroup = element("div", "grid-heads", { role: "rowgroup" });
    headGroup.append(head);
    this.host.replaceChildren(headGroup, this.body);
    this.host.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.host.addEventListener("keydown", (event) => this.key(event));
  }

  // What others call.

  add(rows) {
    this.waiting.push(rows);
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    if (!isPaused) this.follow();
  }

  follow() {
    this.heldEnd = null;
    this.active = 0;
    this.host.scrollTop = 0;
    this.arrange();
  }

  only(text) {
    this.filter = text.trim().toLowerCase();
    this.arrange();
  }

  sortBy(column) {
    if (this.sorted !== column) [this.sorted, this.isDescending] = [column, false];
    else if (!this.isDescending) this.isDescending = true;
    else this.sorted = null;
    this.heads.forEach((cell, place) => {
      const is = this.columns[place] === this.sorted;
      cell.setAttribute("aria-sort", !is ? "none" : this.isDescending ? "descending" : "ascending");
    });
    this.arrange();
  }

  get unseen() {
    return this.heldEnd === null ? 0 : this.end - this.heldEnd;
  }

  get count() {
    return this.view ? this.view.length : this.shownEnd() - this.shownFirst();
  }

  row(place) {
    const number = this.view ? this.view[place] : this.shownEnd() - 1 - place;
    // What is sorted or filtered may have gone since; soon it is arranged anew.
    return number < this.first ? undefined : this.ring[number % this.kept];
  }

  // Once a frame.

  frame(now) {
    const taken = this.takeIn();
    if (taken && this.view) this.mustArrange = true;
    if (this.mustArrange && now - this.arrangedAt > SORT_EVERY_MS) this.arrange(now);
    if (taken || this.isStale) this.draw();
    this.onDraw(now, taken);
    requestAnimationFrame(this.frame);
  }

  takeIn() {
    let taken = 0;
    for (const rows of this.waiting) {
      for (const row of rows) {
        this.ring[this.end % this.kept] = row;
        this.end += 1;
      }
      taken += rows.length;
    }
    this.waiting.length = 0;
    this.first = Math.max(0, this.end - this.kept);
    // What somebody reads stands still, until it is older than what is kept.
    if (this.heldEnd !== null && this.heldEnd <= this.first) this.follow();
    else if (this.isPaused && this.heldEnd === null && taken) this.heldEnd = this.end - taken;
    return taken;
  }

  shownEnd() {
    return this.heldEnd === null ? this.end : this.heldEnd;
  }

  shownFirst() {
    return Math.min(this.first, this.shownEnd());
  }

  arrange(now = performance.now()) {
    this.mustArrange = false;
    this.arrangedAt = now;
    this.isStale = true;
    if (!this.filter && !this.sorted) {
      this.view = null;
      return;
    }
    const found = [];
    for (let number = this.shownEnd() - 1; number >= this.shownFirst(); number -= 1) {
      if (!this.filter || this.holds(this.ring[number % this.kept])) found.push(number);
    }
    if (this.sorted) {
      const order = this.sorted.order ?? this.sorted.text;
      const keys = new Map(found.map((number) => [number, order(this.ring[number % this.kept])]));
      const sign = this.isDescending ? -1 : 1;
      found.sort((a, b) => {
        const [one, other] = [keys.get(a), keys.get(b)];
        return (one < other ? -sign : one > other ? sign : b - a);
      });
    }
    this.view = found;
  }

  holds(row) {
    return this.columns.some((column) => column.text(row).toLowerCase().includes(this.filter));
  }

  draw() {
    this.isStale = false;
    const count = this.count;
    if (this.shownCount !== count) {
      this.shownCount = count;
      this.body.style.height = `${count * ROW_HEIGHT}px`;
      this.host.setAttribute("aria-rowcount", String(count + 1));
    }
    this.active = Math.max(0, Math.min(this.active, count - 1));
    const begin = Math.max(0, Math.floor(this.host.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const height = this.host.clientHeight;
    const stop = Math.min(count, begin + Math.ceil(height / ROW_HEIGHT) + 2 * SPARE_ROWS);
    for (const [place, drawn] of this.drawn) {
      if (place >= begin && place < stop) continue;
      drawn.line.hidden = true;
      this.spare.push(drawn);
      this.drawn.delete(place);
    }
    for (let place = begin; place < stop; place += 1) this.drawRow(place);
    this.host.setAttribute("aria-activedescendant", count ? `grid-row-${this.active}` : "");
  }

  drawRow(place) {
    let drawn = this.drawn.get(place);
    if (!drawn) {
      drawn = this.spare.pop() ?? this.newLine();
      drawn.line.hidden = false;
      drawn.line.id = `grid-row-${place}`;
      drawn.line.style.transform = `translateY(${place * ROW_HEIGHT}px)`;
      drawn.line.setAttribute("aria-rowindex", String(place + 2));
      this.drawn.set(place, drawn);
    }
    const row = this.row(place);
    const isActive = place === this.active && this.heldEnd !== null;
    if (drawn.isActive !== isActive) {
      drawn.isActive = isActive;
      drawn.line.classList.toggle("active", isActive);
      drawn.line.setAttribute("aria-selected", String(isActive));
    }
    if (drawn.row === row) return;
    drawn.row = row;
    this.columns.forEach((column, at) => {
      const text = row ? column.text(row) : "";
      if (drawn.texts[at] !== text) {
        drawn.texts[at] = text;
        drawn.cells[at].firstChild.data = text;
      }
      if (column.alarm) drawn.cells[at].classList.toggle("differs", row !== undefined && column.alarm(row));
    });
  }

  newLine() {
    const line = element("div", "grid-row", { role: "row", "aria-selected": "false" });
    const cells = this.columns.map((column) => {
      const cell = element("div", cellClass(column), { role: "gridcell" });
      cell.append(document.createTextNode(""));
      line.append(cell);
      return cell;
    });
    this.body.append(line);
    return { line, cells, texts: [], row: undefined, isActive: false };
  }

  // Reading: whoever scrolls or moves down reads, and what is read stands still.

  hold() {
    if (this.heldEnd === null) this.heldEnd = this.end;
  }

  scrolled() {
    if (this.host.scrollTop > 0) this.hold();
    else if (!this.isPaused && this.active === 0) this.follow();
    this.isStale = true;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW_HEIGHT) - 2);
    const last = this.count - 1;
    const place = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: last,
    }[event.key];
    if (place === undefined || event.target !== this.host) return;
    event.preventDefault();
    const wasAtTop = this.active === 0;
    this.active = Math.max(0, Math.min(place, last));
    if (this.active === 0 && wasAtTop && !this.isPaused) this.follow();
    else this.hold();
    this.reveal();
    this.isStale = true;
  }

  reveal() {
    const top = this.active * ROW_HEIGHT;
    const inside = this.host.clientHeight - 2 * ROW_HEIGHT;
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    else if (top > this.host.scrollTop + inside) this.host.scrollTop = top - inside;
    for (const drawn of this.drawn.values()) drawn.row = undefined;
  }
}

function element(name, className, attributes) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function cellClass(column) {
  return `grid-cell ${column.key}${column.number ? " number" : ""}`;
}
