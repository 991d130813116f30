// Keeps a page true while it stays open: asks for the page again, takes over what changed, and writes
// NO DATA when an answer fails or when what is shown is too old. Limits come from the page itself.
"use strict";

const live = document.getElementById("live");
const lost = document.getElementById("lost");
const OLD_MS = Number(live.dataset.oldAfterS) * 1000;
const EVERY_MS = Number(live.dataset.askEveryS) * 1000;
const GIVE_UP_MS = Number(live.dataset.giveUpS) * 1000;

let drawnMs = Number(live.dataset.drawnMs); // the server's time of the newest answer
let fault = "the page is out of date";
let polling = false;
let timer = 0;

// Two clocks: the steady one may stop while a laptop sleeps, the other one may be set.
const clocks = () => ({ steady: performance.now(), wall: Date.now() });
const sinceMs = (then) => Math.max(performance.now() - then.steady, Math.abs(Date.now() - then.wall));

// When the current content was requested; null: it cannot be trusted. A page from the browser's cache is old.
let shown = Math.abs(Date.now() - drawnMs) > OLD_MS ? null : { steady: 0, wall: performance.timeOrigin };

// Make `old` equal to `fresh` in place, so that focus, selection and opened details stay.
function takeOver(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const had = [...old.childNodes];
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, at) => (at < had.length ? takeOver(had[at], node) : old.append(node)));
  had.slice(wanted.length).forEach((node) => node.remove());
}

function say(text) {
  if (lost.textContent !== text) lost.textContent = text; // a screen reader hears each change
}

function blank(why) {
  for (const figures of live.querySelectorAll("[data-figures]")) {
    if (figures.dataset.figures === "lost" || figures.closest('[data-state="unfed"]') || figures.querySelector(".unfed")) continue;
    figures.dataset.figures = "lost";
    const words = document.createElement("p");
    words.className = "figure";
    words.textContent = "NO DATA";
    figures.replaceChildren(words);
  }
  for (const tile of live.querySelectorAll('[data-tile]:not([data-state="unfed"])')) {
    tile.dataset.state = "nodata";
    tile.querySelector(".word")?.remove();
  }
  live.querySelector(".notices")?.replaceChildren();
  say(`NO DATA: ${why}. Last drawn at ${live.querySelector("time").textContent}; still retrying.`);
}

function checkFreshness() {
  if (shown !== null && sinceMs(shown) > OLD_MS) {
    shown = null;
    fault = `nothing new for ${OLD_MS / 1000} seconds`;
  }
  if (shown === null) blank(fault);
  else say("");
}

async function answer(signal) {
  const found = await fetch(location.href, { cache: "no-store", signal });
  if (!found.ok) throw new Error(`the exporter answered with status ${found.status}`);
  const fresh = new DOMParser().parseFromString(await found.text(), "text/html").getElementById("live");
  const freshMs = Number(fresh?.dataset.drawnMs);
  const isNew = freshMs > drawnMs;
  drawnMs = freshMs || drawnMs; // a server's clock that was set back counts from here on
  if (!isNew) throw new Error("the answer is an old copy");
  return fresh;
}

async function poll() {
  if (polling) return;
  polling = true;
  clearTimeout(timer);
  const began = clocks();
  const stop = new AbortController();
  const giveUp = setTimeout(() => stop.abort(), GIVE_UP_MS);
  try {
    takeOver(live, await answer(stop.signal));
    shown = began;
  } catch (error) {
    shown = null;
    fault = stop.signal.aborted || error instanceof TypeError ? "the exporter does not answer" : error.message;
  }
  clearTimeout(giveUp);
  checkFreshness();
  polling = false;
  timer = setTimeout(poll, EVERY_MS);
}

function wake() {
  checkFreshness(); // before anybody can read what was left on the screen
  if (document.visibilityState === "visible") poll();
}

checkFreshness();
timer = setTimeout(poll, EVERY_MS);
setInterval(checkFreshness, 1000);
for (const event of ["pageshow", "online", "offline"]) window.addEventListener(event, wake);
document.addEventListener("visibilitychange", wake);
