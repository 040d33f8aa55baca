// What makes an open page live: parts that change are replaced, forms are sent without leaving the page, a
// draft survives a reconnect, keys and alarms work. Our own instead of htmx: every page also works by plain forms, the strict policy (no inline style, no eval) needs no exceptions, and nothing foreign runs beside
// a child's words. Nothing is ever put into localStorage.
"use strict";

const body = document.body;
const notice = document.getElementById("notice");
const thread = document.getElementById("thread");
const title = document.title;

// ---- Words in the reader's language, looked up by the English ----

const said = JSON.parse(document.getElementById("said").textContent);

function _(text, values = {}) {
  return (said[text] || text).replace(/%\((\w+)\)s/g, (all, name) => values[name]);
}

// ---- Times: the server writes them in the reader's language and zone, and learns the zone from here ----

const COOKIE_DAYS = 400;
const guard = location.protocol === "https:" ? "; secure" : "";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `zone=${zone}; path=/; samesite=strict; max-age=${COOKIE_DAYS * 86400}${guard}`;

function span(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  if (minutes < 1) return _("less than a minute");
  if (minutes < 60) return _("%(minutes)s min", {minutes});
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return _("%(hours)s h %(minutes)s min", {hours, minutes: minutes % 60});
  return _("%(days)s d", {days: Math.floor(hours / 24)});
}

function ago(then) {
  const passed = Date.now() - then;
  return passed < 60000 ? _("just now") : _("%(time)s ago", {time: span(passed)});
}

// A clock goes on between two looks of the server: its words, then its colour.
function showClock(element, due) {
  const clock = element.closest(".clock");
  const left = due - Date.now();
  const step = left <= 0 ? "breach" : new Date(clock.dataset.warn) <= Date.now() ? "warning" : "running";
  clock.className = `clock clock-${step}`;
  clock.querySelector("b").textContent = {running: _("Answer due"), warning: _("Due soon:"), breach: _("Overdue")}[step];
  element.textContent = left <= 0 ? _("by %(time)s", {time: span(-left)}) : _("in %(time)s", {time: span(left)});
}

function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const then = new Date(element.dateTime);
    element.title ||= element.textContent;
    if ("due" in element.dataset) {
      showClock(element, then);
      continue;
    }
    const today = then.toDateString() === new Date().toDateString();
    if ("ago" in element.dataset) element.textContent = ago(then);
    else element.textContent = today && element.dataset.clock ? element.dataset.clock : element.title;
  }
}

// ---- The title says how many wait, for whoever has another tab in front ----

let unseen = 0;

function showTitle() {
  const queue = document.getElementById("queue");
  if (body.dataset.counts === "queue" && queue) {
    const {waiting, emergencies} = queue.dataset;
    const mark = Number(emergencies) ? `(${waiting}) ${_("EMERGENCY")} · ` : Number(waiting) ? `(${waiting}) ` : "";
    document.title = mark + title;
  } else if (body.dataset.case) {
    document.title = (unseen ? `(${_("%(unseen)s new", {unseen})}) ` : "") + title;
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  showTitle();
});

// ---- Parts that the server sends ----

function showPart(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  showTimes(template.content);
  for (const fresh of [...template.content.children]) {
    const shown = document.getElementById(fresh.id);
    if (shown && shown.dataset.version === fresh.dataset.version) continue;
    if (shown) shown.replaceWith(fresh);
    else if (fresh.dataset.into) insert(fresh, document.getElementById(fresh.dataset.into));
    if (fresh.id === "standing") closeWriting(fresh.dataset.gone === "yes");
    if (fresh.id === "writing") hideLater(fresh);
  }
  showTitle();
  listenForEmergencies();
}

function insert(fresh, list) {
  const follow = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  const later = [...list.children].find((item) => Number(item.dataset.seq) > Number(fresh.dataset.seq));
  list.insertBefore(fresh, later || null);
  if (follow || fresh.dataset.kind === "operator") list.scrollTop = list.scrollHeight;
  if (document.hidden && fresh.dataset.kind === "visitor") unseen += 1;
}

// The visitor's page tells every four seconds that they write; when they stop, nobody says so.
const WRITING_MILLISECONDS = 7000;

function hideLater(hint) {
  setTimeout(() => { hint.hidden = true; }, WRITING_MILLISECONDS);
}

function closeWriting(gone) {
  const form = document.querySelector("form.write");
  if (form) form.hidden = gone;
}

// ---- Earlier entries come in above, and what is being read stays where it is ----

document.querySelector(".thread")?.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-earlier] a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const list = event.currentTarget;
  let answer;
  try {
    answer = await fetch(link.href, {cache: "no-store", headers: {Accept: "text/html"}});
  } catch { /* The network is away: the link says so by itself. */ }
  if (!answer?.ok || answer.redirected) return location.assign(link.href);
  const read = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".thread");
  showTimes(read);
  const below = list.scrollHeight - list.scrollTop;
  const speaks = list.getAttribute("aria-live");
  // What was said long ago is not news: a screen reader would read out all of it.
  list.setAttribute("aria-live", "off");
  link.closest("[data-earlier]").remove();
  list.prepend(...read.children);
  list.style.scrollBehavior = "auto";
  list.scrollTop = list.scrollHeight - below;
  list.style.scrollBehavior = "";
  list.focus({preventScroll: true});
  setTimeout(() => list.setAttribute("aria-live", speaks), 1000);
});

// ---- The stream ----

const RETRY_MILLISECONDS = 3000;
let stream = null;

function say(text, link, address) {
  notice.replaceChildren(text);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = address;
    anchor.textContent = link;
    notice.append(" ", anchor);
  }
  notice.hidden = !text;
}

function address() {
  if (!thread || !thread.lastElementChild) return body.dataset.stream;
  return body.dataset.stream.replace(/after=\d+/, `after=${thread.lastElementChild.dataset.seq}`);
}

function connect() {
  stream = new EventSource(address());
  stream.addEventListener("connected", () => say(""));
  stream.addEventListener("part", (event) => showPart(event.data));
  stream.addEventListener("signed_out", () => {
    stream.close();
    say(_("You have been signed out. Your draft is kept in this tab."), _("Sign in"), "/sign-in");
  });
  stream.addEventListener("case_gone", (event) => {
    stream.close();
    thread.replaceChildren();
    document.querySelector(".side").replaceChildren();
    closeWriting(true);
    const kept = event.data === "goes_on" && hasDrafts();
    if (!kept) dropDrafts();
    const told = kept ? _("This case is no longer with you. What you were writing is kept in this tab, for when you take it again.") : _("This case is no longer with you.");
    say(told, _("Back to the desk"), "/");
  });
  stream.addEventListener("error", () => {
    say(_("Connection lost. Trying again…"));
    if (stream.readyState === EventSource.CLOSED) setTimeout(reconnect, RETRY_MILLISECONDS);
  });
}

// A browser gives up for good when the server answered with an error: then we ask whether we are still welcome.
async function reconnect() {
  try {
    const answer = await fetch("/session", {cache: "no-store", headers: {Accept: "application/json"}});
    if (answer.status === 401) return say(_("You have been signed out. Your draft is kept in this tab."), _("Sign in"), "/sign-in");
    if (answer.ok) return connect();
  } catch { /* The network is still away. */ }
  setTimeout(reconnect, RETRY_MILLISECONDS);
}

// ---- Drafts: this tab and this operator only, gone once sent or once the talk is over ----

const mine = `draft:${body.dataset.me}:`;

function draftKey(form) {
  return `${mine}${body.dataset.case}:${form.dataset.draft}`;
}

function drafts() {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(`${mine}${body.dataset.case}:`));
}

function hasDrafts() {
  return drafts().length > 0;
}

function dropDrafts() {
  for (const key of drafts()) sessionStorage.removeItem(key);
}

function keepDraft(form, text) {
  if (text) sessionStorage.setItem(draftKey(form), text);
  else sessionStorage.removeItem(draftKey(form));
}

// Whoever sits here after somebody else must not find their words.
if (body.dataset.me) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("draft:") && !key.startsWith(mine)) sessionStorage.removeItem(key);
  }
}

// ---- The visitor may see that an answer is being written ----

const TELL_EVERY = 4000;
let toldAt = 0;

function tellWriting(form) {
  if (Date.now() - toldAt < TELL_EVERY) return;
  toldAt = Date.now();
  const told = new FormData();
  told.set("form_token", form.elements.form_token.value);
  fetch(`/cases/${body.dataset.case}/typing`, {method: "POST", body: told}).catch(() => {});
}

// ---- Forms that are sent without leaving the page ----

async function send(form) {
  const words = form.elements.words;
  const button = form.querySelector("button");
  const refusal = form.querySelector(".refusal");
  if (button.getAttribute("aria-busy") === "true" || !words.value.trim()) return;
  button.setAttribute("aria-busy", "true");
  refusal.hidden = true;
  const sent = words.value;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: {Accept: "application/json"},
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.detail);
    form.elements.entry.value = result.next;
    // Who went on writing meanwhile keeps that.
    if (words.value === sent) words.value = "";
    if (form.elements.reply) form.elements.reply.value = "";
    if (form.elements.billed) form.elements.billed.checked = false;
    keepDraft(form, words.value);
  } catch (error) {
    // The same entry id goes with the next attempt, so what did arrive is not said twice.
    refusal.textContent = error instanceof TypeError ? _("Not sent: no connection. Your words are still here; please send again.") : error.message;
    refusal.hidden = false;
  } finally {
    button.removeAttribute("aria-busy");
    words.focus();
  }
}

for (const form of document.querySelectorAll("form[data-send]")) {
  const words = form.elements.words;
  words.value = sessionStorage.getItem(draftKey(form)) || words.value;
  words.addEventListener("input", () => {
    keepDraft(form, words.value);
    if (form.dataset.draft === "message" && words.value.trim()) tellWriting(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  words.addEventListener("keydown", (event) => {
    const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    // On a touch keyboard Enter is the only way to a new line; a note is never sent by a slip of the finger.
    if (!plain || form.dataset.draft === "note" || !matchMedia("(pointer: fine)").matches) return;
    event.preventDefault();
    send(form);
  });
}

// ---- Replies: a slash in the empty box opens the list, a choice goes into the box and not yet to the child ----

const replies = document.querySelector("details[data-replies]");

if (replies) {
  const form = replies.closest("form");
  const words = form.elements.words;
  const find = replies.querySelector("input[type=search]");
  const buttons = [...replies.querySelectorAll("button[data-reply]")];
  const shown = () => buttons.filter((button) => !button.parentElement.hidden);
  const look = () => {
    const wanted = find.value.trim().toLocaleLowerCase().split(/\s+/);
    for (const button of buttons) {
      const text = button.textContent.toLocaleLowerCase();
      button.parentElement.hidden = !wanted.every((part) => text.includes(part));
    }
    replies.querySelector("[data-none]").hidden = shown().length > 0;
  };
  const shut = () => {
    replies.open = false;
    find.value = "";
    look();
    words.focus();
  };
  words.addEventListener("keydown", (event) => {
    if (event.key !== "/" || words.value) return;
    event.preventDefault();
    replies.open = true;
    find.focus();
  });
  find.addEventListener("input", look);
  replies.addEventListener("keydown", (event) => {
    const down = event.key === "ArrowDown";
    if (event.key === "Escape") {
      event.preventDefault();
      shut();
    } else if (event.key === "Enter" && event.target === find) {
      event.preventDefault();
      shown()[0]?.click();
    } else if (down || event.key === "ArrowUp") {
      event.preventDefault();
      const all = [find, ...shown()];
      all[all.indexOf(document.activeElement) + (down ? 1 : -1)]?.focus();
    }
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const before = words.value.slice(0, words.selectionStart);
      const after = words.value.slice(words.selectionEnd);
      // Said exactly so it is known in both languages; with anything around it, it is the operator's own.
      form.elements.reply.value = before + after ? "" : button.dataset.reply;
      words.value = before + button.dataset.text + after;
      words.dispatchEvent(new Event("input"));
      shut();
    });
  }
}

// ---- Closing: a suggestion is one press, a refusal keeps what was chosen ----

const closing = document.querySelector("details[data-closing]");

async function close(form) {
  const refusal = form.querySelector(".refusal");
  refusal.hidden = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: {Accept: "application/json"},
      redirect: "manual",
    });
    if (answer.type !== "opaqueredirect") throw new Error((await answer.json()).detail);
    dropDrafts();
    location.assign("/");
  } catch (error) {
    refusal.textContent = error instanceof TypeError ? _("Not closed: no connection. Please try again.") : error.message;
    refusal.hidden = false;
  }
}

if (closing) {
  const form = closing.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    close(form);
  });
  closing.querySelector("[data-suggests]")?.addEventListener("click", (event) => {
    const {code, onlineHarm, occurred} = event.currentTarget.dataset;
    form.elements.code.value = code;
    form.elements.online_harm.value = onlineHarm;
    for (const radio of form.elements.occurred) radio.checked = radio.value === occurred;
    form.elements[occurred ? "outcome" : "code"].focus();
  });
}

// ---- Keys: one letter each, only where nobody writes ----

const keys = document.getElementById("keys");

function isWriting(event) {
  return event.target.closest("input, select, textarea, dialog, [contenteditable]") !== null;
}

function unfold(details, focused) {
  if (!details) return false;
  details.open = true;
  (focused || details.querySelector("summary")).focus();
  return true;
}

function focusOn(element) {
  if (!element || element.closest("[hidden]")) return false;
  element.focus();
  return true;
}

const pressed = {
  "?": () => showKeys(),
  d: () => go(document.querySelector(".brand[data-desk]")),
  t: () => focusOn(document.querySelector(".take-next")),
  w: () => focusOn(document.getElementById("message")),
  n: () => unfold(document.querySelector("details.note"), document.getElementById("note")),
  h: () => unfold(document.querySelector("details.card")),
  c: () => closing && unfold(closing, closing.querySelector("[data-suggests]") || closing.querySelector("[name=code]")),
};

function go(link) {
  if (!link) return false;
  link.click();
  return true;
}

function showKeys() {
  if (!keys || keys.open) return false;
  keys.showModal();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape" && event.target.matches("textarea")) return event.target.blur();
  if (isWriting(event) || event.repeat) return;
  const nth = /^[1-9]$/.test(event.key) && document.querySelectorAll("#mine a.case-card")[event.key - 1];
  const done = nth ? go(nth) : Object.hasOwn(pressed, event.key.toLowerCase()) && pressed[event.key.toLowerCase()]();
  if (done) event.preventDefault();
});

for (const button of document.querySelectorAll("[data-shows-keys]")) {
  button.hidden = false;
  button.addEventListener("click", showKeys);
}

// ---- The menu closes as menus do: on Escape, on a press elsewhere, and when the keyboard has left it ----

const menu = document.querySelector("details[data-menu]");

if (menu) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target) || event.target.closest("[data-shows-keys]")) menu.open = false;
  });
}

// ---- Emergencies are heard, and seen outside the browser by whoever allowed it ----

const SOUND_COOKIE = "sound=off";
let emergencies = countEmergencies();
let audio = null;

function countEmergencies() {
  const queue = document.getElementById("queue");
  const here = document.querySelector(".standing-emergency") ? 1 : 0;
  return (queue ? Number(queue.dataset.emergencies) : 0) + here;
}

function listenForEmergencies() {
  const now = countEmergencies();
  if (now > emergencies) alarm();
  emergencies = now;
}

function isMuted() {
  return document.cookie.split("; ").includes(SOUND_COOKIE);
}

function alarm() {
  if (!isMuted()) ring();
  if (window.Notification && Notification.permission === "granted" && document.hidden) {
    // No name and no word: a screen may be seen by others.
    const shown = new Notification(_("Emergency at the helpline"), {body: _("Somebody needs a person now."), tag: "emergency", requireInteraction: true});
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  }
}

// Two tones, twice. A browser lets a page sound only once somebody has clicked or typed in it.
function ring() {
  audio ||= new AudioContext();
  audio.resume();
  for (const [start, tone] of [[0, 880], [0.2, 660], [0.6, 880], [0.8, 660]]) {
    const at = audio.currentTime + start;
    const source = audio.createOscillator();
    const volume = audio.createGain();
    source.frequency.value = tone;
    volume.gain.setValueAtTime(0.2, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.18);
    source.connect(volume).connect(audio.destination);
    source.start(at);
    source.stop(at + 0.2);
  }
}

function showMuted(button) {
  const muted = isMuted();
  button.setAttribute("aria-pressed", String(!muted));
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, muted ? "#bell-off" : "#bell"));
}

for (const button of document.querySelectorAll("[data-sounds]")) {
  button.hidden = false;
  showMuted(button);
  button.addEventListener("click", () => {
    const muted = !isMuted();
    document.cookie = `sound=${muted ? "off" : "on"}; path=/; samesite=strict; max-age=${COOKIE_DAYS * 86400}${guard}`;
    showMuted(button);
    if (!muted) ring();
  });
}

for (const button of document.querySelectorAll("[data-notifies]")) {
  const told = document.querySelector("[data-notified]");
  const show = () => {
    button.hidden = !window.Notification || Notification.permission !== "default";
    told.hidden = !window.Notification || Notification.permission !== "granted";
  };
  show();
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
}

for (const form of document.querySelectorAll("form[data-drops-drafts]")) form.addEventListener("submit", dropDrafts);
for (const form of document.querySelectorAll("form[data-sign-out]")) {
  form.addEventListener("submit", () => sessionStorage.clear());
}

// On a narrow screen the talk comes first: what stands beside it begins folded.
if (matchMedia("(max-width: 59.99rem)").matches) {
  for (const details of document.querySelectorAll("details[data-open-wide]")) details.open = false;
}

showTimes(document);
setInterval(() => showTimes(document), 20000);
showTitle();
if (thread) thread.scrollTop = thread.scrollHeight;
if (body.dataset.stream) connect();
