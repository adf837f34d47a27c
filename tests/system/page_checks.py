"""What a page must have for everybody: checks that run in the browser, on what it really shows."""

from playwright.sync_api import Page

#: Returns a list of complaints; names follow WCAG 2.2 and the accessible-name computation's order.
_COMPLAINTS = r"""
() => {
  const found = [];
  const say = (what, element) =>
    found.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  const shown = (e) => e.checkVisibility() && e.type !== "hidden";
  const texts = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id));
  const nameOf = (e) => {
    const by = e.getAttribute("aria-labelledby");
    if (by) return texts(by).map((t) => (t ? t.textContent : "")).join(" ").trim();
    if (e.getAttribute("aria-label")) return e.getAttribute("aria-label").trim();
    const labels = [...(e.labels || [])].map((label) => label.textContent);
    if (labels.length) return labels.join(" ").trim();
    if (e.tagName === "IMG") return e.alt.trim();
    return e.matches("a, button, summary") ? e.textContent.trim() : "";
  };
  const root = document.documentElement;
  if (!root.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  for (const [what, count] of [["main", 1], ["header", 1], ["footer", 1], ["h1", 1]]) {
    const here = [...document.querySelectorAll(what)].filter(shown).length;
    if (here !== count) found.push(`${here} of ${what}`);
  }
  const named = "input, textarea, button, a, summary, nav, svg[role]";
  for (const e of document.querySelectorAll(named)) {
    if (shown(e) && !nameOf(e)) say("no name", e);
  }
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) say("no alt", e);
  for (const kind of ["aria-labelledby", "aria-describedby", "for"]) {
    for (const e of document.querySelectorAll(`[${kind}]`)) {
      if (texts(e.getAttribute(kind)).includes(null)) say(`${kind} points nowhere`, e);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) {
    if (ids.filter((other) => other === id).length > 1) found.push(`id ${id} stands twice`);
  }
  let level = 0;
  for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!shown(e)) continue;
    if (Number(e.tagName[1]) > level + 1) say("a heading's level is left out", e);
    level = Number(e.tagName[1]);
  }
  for (const e of document.querySelectorAll("button, a, input, textarea, summary")) {
    const box = e.getBoundingClientRect();
    const inline = getComputedStyle(e).display === "inline";
    if (shown(e) && !e.matches(".skip") && !inline && (box.width < 24 || box.height < 24)) {
      say("too small to hit", e);
    }
  }
  if (root.scrollWidth > root.clientWidth) found.push(`${root.scrollWidth} wide`);
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const shine = (colour) => {
    const [r, g, b] = parse(colour).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return getComputedStyle(at).backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const e = words.currentNode.parentElement;
    if (!words.currentNode.textContent.trim() || !shown(e) || e.closest("svg, script")) continue;
    const [low, high] = [shine(getComputedStyle(e).color), shine(ground(e))].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) < 4.5) say("hard to read", e);
  }
  return found;
}
"""


def complaints(page: Page) -> list[str]:
    """Return what is wrong with the page that is shown, for people who read it otherwise."""
    page.wait_for_load_state()
    found: list[str] = page.evaluate(_COMPLAINTS)
    return found
