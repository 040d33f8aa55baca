// Puts the page together: what the visitor does goes to the connection, what comes back into the thread.

import { Connection } from './connection.js';
import { Exit } from './exit.js';
import { Writer } from './text.js';
import { Thread } from './thread.js';

const KEPT_UNDER = 'chat';
const MAX_TEXT = 4000;
const TELL_EVERY = 4000;
const TROUBLE_AFTER = 3000;
const GREETED_WITHIN = 10000;

const page = document.body.dataset;
const words = JSON.parse(page.words);
const memory = remembered();
const $ = (name) => document.getElementById(name);

function main() {
  const written = $('text');
  const marks = new Map();

  const thread = new Thread({
    writer: new Writer({ dial: page.dial.split(' '), newTab: words.new_tab }),
    words: words,
    pressed: (choice) => send(choice.title, { payload: choice.payload }),
  });

  const trouble = new Trouble(thread);

  const connection = new Connection({
    beginning: known({ locale: page.locale, country: page.country, campaign: page.campaign }),
    token: memory.token,
    heard(message) {
      // First aid, which comes without a number of its own, says whom to call.
      trouble.helped = !message.id;
      $('numbers').hidden = true;
      thread.hear(message);
      lookAt();
    },
    writing: () => thread.showWriting(),
    sent(item, state) {
      const mark = marks.get(item.body.id);
      if (mark) mark(state);
      trouble.message(item, state);
      if (state === 'waiting' || state === 'refused') thread.hideDots();
      if (state === 'sent') thread.expect();
      if (state === 'sent' && memory.token) keep({ spoke: true, locale: page.locale });
    },
    online: (yes) => trouble.line(yes),
    began: (token) => keep({ token: token, locale: page.locale }),
  });

  // While a person answers they learn whether the visitor writes and has the answer before their eyes: nothing
  // of what is written.
  let toldAt = 0;

  function lookAt() {
    if (thread.withPerson && !document.hidden) connection.hint({ saw: true });
  }

  function tellWriting() {
    if (!thread.withPerson || !written.value.trim() || Date.now() - toldAt < TELL_EVERY) return;
    toldAt = Date.now();
    connection.hint({ writes: true, saw: true });
  }

  document.addEventListener('visibilitychange', lookAt);

  function send(shown, what) {
    const mark = thread.say(shown);
    const item = connection.send(what);
    marks.set(item.body.id, mark);
    thread.expect();
  }

  function submit() {
    const text = written.value.trim();
    if (!text) return;
    if (text.length > MAX_TEXT) {
      $('note').textContent = words.too_long;
      return;
    }
    written.value = '';
    noteLength();
    send(text, { text: text });
    written.focus();
  }

  function noteLength() {
    grow(written);
    if (written.value.trim().length <= MAX_TEXT) $('note').textContent = '';
  }

  $('write').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  written.addEventListener('input', () => {
    noteLength();
    tellWriting();
  });
  written.addEventListener('keydown', (event) => {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing || !hasKeyboard()) return;
    event.preventDefault();
    submit();
  });

  new Exit({
    button: $('leave'),
    embedded: document.body.classList.contains('embed'),
    before() {
      connection.stop();
      forget();
    },
    count: (left) => {
      $('leave-count').textContent = { 2: words.leave_after_one, 1: words.leave_after_two }[left] || '';
    },
  });

  switchLanguagesInPlace();
  $('numbers').classList.add('at-once');
  $('numbers').hidden = true;
  $('bottom').hidden = false;
  if (hasKeyboard()) written.focus();
  if (memory.token) thread.replay();
  else thread.expect();
  setTimeout(() => {
    if (!thread.newest) trouble.showNumbers(true);
  }, GREETED_WITHIN);
  connection.start();
  if (memory.token && memory.locale !== page.locale) speak(connection);
  join(send);
}

/** A link into a class counts also where a conversation is under way: then its code is sent as if typed. */
function join(send) {
  const link = /^class_(\d+)$/.exec(page.campaign || '');
  if (!link) return;
  if (memory.token && memory.room !== link[1]) send(link[1], { text: link[1] });
  keep({ room: link[1] });
}

/** Says that the chat does not get through, and whom to call meanwhile. */
class Trouble {
  constructor(thread) {
    this.thread = thread;
    this.broken = false;
    this.helped = false;
    this.unsent = new Set();
    this.timer = 0;
  }

  line(works) {
    this.broken = !works;
    this.update();
  }

  message(item, state) {
    if (state === 'waiting') this.unsent.add(item);
    else if (state !== 'sending') this.unsent.delete(item);
    this.update();
  }

  // What comes back within moments is not worth a word.
  update() {
    const yes = this.broken || this.unsent.size > 0;
    if (yes && !this.timer) this.timer = setTimeout(() => this.show(true), TROUBLE_AFTER);
    if (yes) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.show(false);
  }

  show(yes) {
    $('trouble').textContent = yes ? words.no_connection : '';
    this.showNumbers(yes);
  }

  showNumbers(yes) {
    if (!$('why') || (yes && this.helped)) return;
    const follows = this.thread.atEnd();
    $('why').textContent = words.call;
    $('numbers').hidden = !yes;
    if (yes && follows) this.thread.scroll(document.documentElement.scrollHeight);
  }
}

// Another language is another page in the same place of the browser's history, so that leaving quickly leaves
// none behind.
function switchLanguagesInPlace() {
  document.querySelectorAll('.languages a').forEach((link) => {
    link.addEventListener('click', (event) => {
      event.preventDefault();
      if (!memory.spoke) forget();
      window.location.replace(link.href);
    });
  });
}

// The visitor who has already said something keeps their conversation, and the bot answers in the new language.
function speak(connection) {
  connection.send({ payload: page.changeLanguage });
}

function grow(area) {
  area.style.height = 'auto';
  area.style.height = area.scrollHeight + 2 + 'px';
}

function hasKeyboard() {
  return window.matchMedia('(hover: hover) and (pointer: fine)').matches;
}

function known(values) {
  const given = {};
  Object.keys(values).forEach((name) => {
    if (values[name]) given[name] = values[name];
  });
  return given;
}

// The tab's own storage goes with the tab; where even that is forbidden the conversation lives as long as the
// page.
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_UNDER)) || {};
  } catch (forbidden) {
    return {};
  }
}

function keep(changes) {
  Object.assign(memory, changes);
  try {
    sessionStorage.setItem(KEPT_UNDER, JSON.stringify(memory));
  } catch (forbidden) {
    // See above.
  }
}

function forget() {
  Object.keys(memory).forEach((name) => delete memory[name]);
  try {
    sessionStorage.clear();
  } catch (forbidden) {
    // See above.
  }
}

if (window.ReadableStream && window.AbortController && 'body' in Response.prototype) main();
