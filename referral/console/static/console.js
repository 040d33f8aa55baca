// What makes an open page live: parts that change are replaced, forms are sent without leaving the page, a
// draft survives a reconnect. A hundred and fifty lines of our own instead of htmx: every page also works by
// plain forms, the strict policy (no inline style, no eval) needs no exceptions, and nothing foreign runs beside
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

const ZONE_DAYS = 400;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  const guard = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `zone=${zone}; path=/; samesite=strict; max-age=${ZONE_DAYS * 86400}${guard}`;
}

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
  }
  showTitle();
}

function insert(fresh, list) {
  const follow = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  const later = [...list.children].find((item) => Number(item.dataset.seq) > Number(fresh.dataset.seq));
  list.insertBefore(fresh, later || null);
  if (follow || fresh.dataset.kind === "operator") list.scrollTop = list.scrollHeight;
  if (document.hidden && fresh.dataset.kind === "visitor") unseen += 1;
}

function closeWriting(gone) {
  const form = document.querySelector("form.write");
  if (form) form.hidden = gone;
}

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
  stream.addEventListener("case_gone", () => {
    stream.close();
    thread.replaceChildren();
    document.querySelector(".side").replaceChildren();
    closeWriting(true);
    dropDrafts();
    say(_("This case is no longer with you."), _("Back to the desk"), "/");
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

// ---- Drafts: this tab only, gone once sent ----

function draftKey(form) {
  return `draft:${body.dataset.case}:${form.dataset.draft}`;
}

function dropDrafts() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(`draft:${body.dataset.case}:`)) sessionStorage.removeItem(key);
  }
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
    if (words.value === sent) words.value = "";
    if (form.elements.reply) form.elements.reply.value = "";
    if (form.elements.billed) form.elements.billed.checked = false;
    sessionStorage.removeItem(draftKey(form));
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
  words.addEventListener("input", () => sessionStorage.setItem(draftKey(form), words.value));
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
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea, [contenteditable]");
    if (event.key.toLowerCase() !== "c" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    closing.open = true;
    (closing.querySelector("[data-suggests]") || form.elements.code).focus();
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
