// What moves by itself: the state, the drawing, the aiming picture. All else works without it.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const LIST_EVERY_MS = 2000;
const RELOAD_MS = 2000;
const PICTURE_EVERY_MS = 700;

for (const element of document.querySelectorAll(".no-script")) element.hidden = true;
const now = document.getElementById("now");
if (now) follow(now, document.querySelector(".drawing"));
const picture = document.getElementById("aim");
if (picture) refresh(picture, document.getElementById("aim-lost"));

function follow(place, panel) {
  const events = new EventSource(place.dataset.live);
  const on = (name, act) => events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  on("now", (html) => { replace(place, html); panel.hidden = false; });
  on("gone", (html) => { replace(place, html); forget(panel); });
  on("tick", (html) => replaceTime(html));
  on("drawing", (look) => draw(panel, look));
  on("ended", () => location.reload());
  events.onerror = () => {
    lost(place, panel);
    // Refused, not cut off: the session has ended, or the box is away; a fresh page says which.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), RELOAD_MS);
  };
}

// Nothing that may be out of date stays as if it were so now.
function lost(place, panel) {
  const note = document.createElement("p");
  note.className = "card problem";
  note.setAttribute("role", "alert");
  note.textContent = place.dataset.lost;
  if (!place.querySelector(".problem")) place.replaceChildren(note);
  forget(panel);
}

// What was done, and seen, was before: now nothing is known.
function forget(panel) {
  document.querySelector(".said")?.remove();
  draw(panel, null);
  panel.hidden = true;
}

// Swaps what changed, and nothing else: a reader's focus and a screen reader's place stay.
function replace(place, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const focused = document.activeElement && document.activeElement.id;
  const announced = place.querySelector("#announced");
  for (const section of [...fresh.children]) {
    const old = section.id && place.querySelector(`#${section.id}`);
    if (!old || old.isEqualNode(section)) continue;
    const said = section.querySelector("#announced");
    if (said && announced && old.contains(announced)) {
      if (!announced.isEqualNode(said)) announced.replaceChildren(...said.childNodes);
      said.replaceWith(announced);
    }
    old.className = section.className;
    old.replaceChildren(...section.childNodes);
  }
  const ids = [...fresh.children].map((section) => section.id);
  if (ids.join() !== [...place.children].map((section) => section.id).join()) {
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.children);
  }
  const again = focused && document.getElementById(focused);
  if (again && document.activeElement !== again) again.focus();
}

function replaceTime(html) {
  const time = document.querySelector("#as-of time");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("time");
  if (time && fresh) time.replaceWith(fresh);
}

let listedAt = 0;

function draw(panel, look) {
  const svg = panel.querySelector("svg");
  svg.replaceChildren();
  svg.toggleAttribute("hidden", !look);
  for (const id of ["#legend", "#found-heading"]) panel.querySelector(id).hidden = !look;
  if (look) {
    const width = svg.clientWidth || 800;
    const height = width / look.aspect;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const corners = (points) => points.map(([x, y]) => `${x * width},${y * height}`).join(" ");
    if (look.area) {
      const frame = `M0,0H${width}V${height}H0Z`;
      add(svg, "path", { class: "blank", d: `${frame}M${corners(look.area)}Z` });
    }
    for (const points of Object.values(look.zones)) {
      add(svg, "polygon", { class: "zone", points: corners(points) });
    }
    for (const box of look.boxes) drawBox(svg, box, width, height);
  }
  list(panel, look);
}

function drawBox(svg, { name, place: [x1, y1, x2, y2], believed }, width, height) {
  const [x, y] = [x1 * width, y1 * height];
  const size = { x, y, width: (x2 - x1) * width, height: (y2 - y1) * height };
  add(svg, "rect", { class: believed ? "believed" : "doubtful", rx: 4, ...size });
  const above = y > 24 ? y - 7 : y + 20;
  add(svg, "text", { x: Math.min(x + 4, width - 140), y: above }).textContent = name;
}

function add(parent, kind, attributes) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return parent.appendChild(element);
}

function list(panel, look) {
  if (look && Date.now() - listedAt < LIST_EVERY_MS) return;
  listedAt = look ? Date.now() : 0;
  const { counts, doubtful, nothing, noLook } = panel.dataset;
  const items = (look ? look.boxes : []).map(({ line, believed }) => {
    const item = document.createElement("li");
    item.textContent = `${line} (${believed ? counts : doubtful})`;
    return item;
  });
  panel.querySelector("#found").replaceChildren(...items);
  const none = panel.querySelector("#nothing");
  none.hidden = items.length > 0;
  none.textContent = look ? nothing : noLook;
}

function refresh(image, note) {
  const next = () =>
    setTimeout(() => { image.src = `/aim/picture.jpg?${Date.now()}`; }, PICTURE_EVERY_MS);
  image.addEventListener("load", next);
  if (image.complete && image.naturalWidth) next();
  image.addEventListener("error", () => {
    image.hidden = true;
    note.hidden = false;
  });
}
