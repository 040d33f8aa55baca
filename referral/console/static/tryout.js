// What makes a conversation that is tried out live: each turn goes to the server with the state of the turn
// before, a rendered piece of page comes back, and everything is kept in this tab's memory alone.
"use strict";

const setup = document.getElementById("setup");
const stage = document.getElementById("stage");
const list = document.getElementById("turns");
const write = document.getElementById("write");
const words = document.getElementById("words");
const writesAs = document.getElementById("as");
const means = document.getElementById("means");
const failed = document.getElementById("failed");
const timer = document.getElementById("timer");
const back = document.getElementById("back");
const helpline = document.getElementById("helpline");
const save = document.getElementById("save");

let given = {};
let turns = [];
let pending = null;
let following = Promise.resolve();

const last = () => turns[turns.length - 1];
const OPEN_CASE = ["waiting", "live"];

function timeOf(seconds) {
  if (seconds >= 3600 && seconds % 3600 === 0) return _("%(hours)s h", {hours: seconds / 3600});
  return seconds >= 60 ? _("%(minutes)s min", {minutes: Math.floor(seconds / 60)}) : _("%(seconds)s s", {seconds});
}

// ---- One turn ----

// One after another: each turn needs the state of the one before.
function next(act) {
  following = following.then(act);
}

const play = (event, how = {}) => next(() => ask(event, how));

async function ask(event, {title = "", focus = "turn"}) {
  pending = {event, title, focus};
  failed.hidden = true;
  stage.setAttribute("aria-busy", "true");
  const before = last();
  const turn = {event, ...given};
  if (before) Object.assign(turn, {state: before.state, offered: before.offered});
  const form = new FormData();
  form.set("form_token", setup.elements.form_token.value);
  form.set("asked", JSON.stringify({turn, title, number: turns.length + 1}));
  try {
    const answer = await fetch("/tryout/turns", {method: "POST", body: form, headers: {Accept: "application/json"}});
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.detail);
    show(result, focus);
    if (words.value === event.text) words.value = "";
    pending = null;
  } catch (error) {
    const offline = error instanceof TypeError || error instanceof SyntaxError;
    failed.firstElementChild.textContent = offline ? _("The console does not answer. Nothing is lost: please try again.") : error.message;
    failed.hidden = false;
    words.value = words.value || event.text || "";
    failed.scrollIntoView({block: "nearest"});
  } finally {
    stage.removeAttribute("aria-busy");
  }
}

function show(result, focus) {
  const template = document.createElement("template");
  template.innerHTML = result.html;
  const item = template.content.firstElementChild;
  list.append(item);
  turns.push({...result, item});
  refresh();
  item.scrollIntoView({block: "start"});
  if (focus === "words") words.focus({preventScroll: true});
  else item.focus({preventScroll: true});
}

// ---- What can be done now ----

function refresh() {
  const now = last();
  const open = Boolean(now) && OPEN_CASE.includes(now.mode);
  timer.disabled = !(now && now.timer_seconds);
  timer.textContent = now && now.timer_seconds ? _("Let %(time)s pass", {time: timeOf(now.timer_seconds)}) : _("Let time pass");
  back.disabled = turns.length < 2;
  helpline.hidden = !open;
  for (const button of helpline.querySelectorAll("button")) {
    button.disabled = !(now && button.dataset.when.split(" ").includes(now.mode));
  }
  writesAs.options[1].disabled = !open;
  if (!open) writesAs.value = "visitor";
  showWriter();
}

function showWriter() {
  means.disabled = writesAs.value === "operator";
  words.placeholder = writesAs.value === "operator" ? _("Write as the operator would") : _("Write as a visitor would");
}

// ---- Beginning, going on, taking back ----

setup.addEventListener("submit", (event) => {
  event.preventDefault();
  next(begin);
});

function begin() {
  const chosen = setup.elements.flow.selectedOptions[0];
  given = {locale: setup.elements.locale.value};
  if (setup.elements.role.value) given.role = setup.elements.role.value;
  if (setup.elements.country.value) given.country = setup.elements.country.value;
  turns = [];
  list.replaceChildren();
  stage.hidden = save.hidden = false;
  words.lang = given.locale;
  document.getElementById("golden-file").textContent = `tests/golden/${chosen.value || "welcome"}.yaml`;
  refresh();
  const {intent} = chosen.dataset;
  const first = chosen.value ? {kind: "enter", flow: chosen.value, ...(intent ? {intent} : {})} : {kind: "start"};
  return ask(first, {focus: "words"});
}

write.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = words.value.trim();
  if (!text) return;
  const visitor = {kind: "text", text, ...(means.value ? {means: means.value} : {})};
  play(writesAs.value === "operator" ? {kind: "helpline", act: "wrote", text} : visitor, {focus: "words"});
  words.value = means.value = "";
});

words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  write.requestSubmit();
});

list.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-payload]");
  if (button) play({kind: "press", payload: button.dataset.payload}, {title: button.textContent});
});

for (const button of stage.querySelectorAll("button[data-event]")) {
  button.addEventListener("click", () => play(JSON.parse(button.dataset.event)));
}

writesAs.addEventListener("change", showWriter);

document.getElementById("again").addEventListener("click", () => {
  if (pending) play(pending.event, pending);
});

back.addEventListener("click", () => next(() => {
  if (turns.length < 2) return;
  turns.pop().item.remove();
  failed.hidden = true;
  refresh();
  last().item.focus();
}));

// ---- Saving ----

save.addEventListener("submit", () => {
  const golden = {name: save.elements.name.value.trim(), given, turns: turns.map((turn) => turn.golden)};
  save.elements.golden.value = JSON.stringify(golden);
});
