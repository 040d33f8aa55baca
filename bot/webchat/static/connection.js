// Carries messages to the bot and back, whatever the network does: each exactly once and in order.

import { EventReader } from './events.js';

const PAUSES = [500, 1000, 2000, 4000, 8000, 15000];
const REQUEST_WITHIN = 15000;
// The server gives a sign of life every 15 seconds; a line silent for longer than this is dead.
const SILENT_FOR = 40000;
// A line that held this long was a good one: the next try starts without delay again.
const STEADY_AFTER = 5000;
const HOLDS_AFTER = 1000;
const SLOW_AFTER = 4000;

export class Connection {
  /**
   * `beginning`: what a new conversation is told. `token`: that of a conversation to go on with, or nothing.
   * `heard(message)`, `sent(item, state)` with 'sending' | 'waiting' | 'sent' | 'refused',
   * `online(yes)`, `began(token)`, `writing()`: a person is writing an answer.
   */
  constructor({ beginning, token, heard, sent, online, began, writing }) {
    Object.assign(this, { beginning, token, heard, sent, online, began, writing });
    this.provisional = false;
    this.beginningNow = false;
    this.apologised = false;
    this.queue = [];
    this.pumping = false;
    this.last = 0;
    this.sleepers = new Set();
    this.stopping = null;
    this.stopped = false;
  }

  start() {
    window.addEventListener('online', () => this.wake());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.wake();
    });
    if (!this.token) this.begin();
    this.listen();
  }

  stop() {
    this.stopped = true;
    if (this.stopping) this.stopping.abort();
    this.wake();
  }

  /** Queue a text or a payload; it is tried under the same id until the server has it. */
  send(what) {
    const item = { body: Object.assign({ id: newId() }, what), helped: false };
    this.queue.push(item);
    this.sent(item, 'sending');
    this.wake();
    this.pump();
    return item;
  }

  /** Tell that the visitor writes or sees what was written; what is lost of this is no loss. */
  hint(what) {
    if (this.token && !this.provisional && !this.stopped) post('/chat/v1/presence', what, this.token).catch(() => {});
  }

  // A begun conversation whose start could not be stored is provisional: its token lets the visitor write and
  // get first aid at once, while we go on trying to begin one that will greet.
  async begin() {
    if (this.beginningNow) return;
    this.beginningNow = true;
    for (let tries = 0; !this.stopped && (!this.token || this.provisional); tries += 1) {
      if (await this.tryToBegin()) break;
      this.online(false);
      await this.pause(tries);
    }
    this.beginningNow = false;
  }

  async tryToBegin() {
    try {
      const answer = await post('/chat/v1/conversations', this.beginning);
      const said = await answer.json();
      if (this.token && !this.provisional) return true; // A message of the provisional one got through meanwhile.
      if (answer.status === 201) {
        this.take(said.token, false);
        return true;
      }
      if (said.token && !this.token) this.take(said.token, true);
      if (said.messages && !this.apologised) {
        this.apologised = true;
        said.messages.forEach((message) => this.heard(message));
      }
    } catch (unreachable) {
      // Tried again after a pause.
    }
    return false;
  }

  take(token, provisional) {
    this.token = token;
    this.provisional = provisional;
    if (!provisional) this.settle();
    this.wake();
  }

  settle() {
    this.provisional = false;
    if (!this.stopped) this.began(this.token);
    this.wake();
  }

  // The server does not know this token any more (its key was changed): begin anew.
  forget(token) {
    if (this.token !== token) return;
    this.token = null;
    this.last = 0;
    this.begin();
  }

  async pump() {
    if (this.pumping) return;
    this.pumping = true;
    for (let tries = 0; this.queue.length && !this.stopped; ) {
      if (await this.sendNext()) {
        tries = 0;
      } else {
        await this.pause(tries);
        tries += 1;
      }
    }
    this.pumping = false;
  }

  async sendNext() {
    const [first, ...others] = this.queue;
    const state = await this.deliver(first);
    if (state !== 'helped') return state !== 'waiting';
    // The server can store nothing now but gives first aid to what it reads, so it must read every message at
    // once: a child's second one may be the one that matters.
    for (const other of others) {
      if (!other.helped) await this.deliver(other);
    }
    return false;
  }

  async deliver(item) {
    const slow = setTimeout(() => this.sent(item, 'waiting'), SLOW_AFTER);
    const state = await this.attempt(item);
    clearTimeout(slow);
    if (state === 'sent' || state === 'refused') this.queue.splice(this.queue.indexOf(item), 1);
    this.sent(item, state === 'helped' ? 'waiting' : state);
    return state;
  }

  async attempt(item) {
    const token = this.token;
    if (!token) return 'waiting';
    try {
      const answer = await post('/chat/v1/messages', item.body, token);
      if (answer.ok) {
        if (this.provisional && token === this.token) this.settle();
        return 'sent';
      }
      if (answer.status === 401) {
        this.forget(token);
        return 'waiting';
      }
      if (answer.status === 503) return await this.helped(item, answer);
      return answer.status >= 500 || answer.status === 408 || answer.status === 429 ? 'waiting' : 'refused';
    } catch (unreachable) {
      return 'waiting';
    }
  }

  async helped(item, answer) {
    const said = await answer.json();
    if (!said.messages) return 'waiting';
    if (!item.helped) said.messages.forEach((message) => this.heard(message));
    item.helped = true;
    return 'helped';
  }

  async listen() {
    for (let tries = 0; !this.stopped; ) {
      const since = Date.now();
      if (this.token && !this.provisional) {
        try {
          await this.follow(this.token);
        } catch (broken) {
          // Tried again after a pause.
        }
        if (this.stopped) return;
        this.online(false);
      }
      if (Date.now() - since > STEADY_AFTER) tries = 0;
      await this.pause(tries);
      tries += 1;
    }
  }

  async follow(token) {
    const abort = new AbortController();
    let silence = setTimeout(() => abort.abort(), SILENT_FOR);
    let holds = 0;
    this.stopping = abort;
    try {
      const answer = await fetch('/chat/v1/events', {
        headers: { Authorization: 'Bearer ' + token, 'Last-Event-ID': String(this.last) },
        cache: 'no-store',
        credentials: 'omit',
        signal: abort.signal,
      });
      if (answer.status === 401) this.forget(token);
      if (!answer.ok) return;
      this.wake();
      // A server without its database opens the line, too, and drops it at once.
      holds = setTimeout(() => this.online(true), HOLDS_AFTER);
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      const events = new EventReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENT_FOR);
        events.read(decoder.decode(piece.value, { stream: true })).forEach((event) => this.receive(event, token));
      }
    } finally {
      clearTimeout(silence);
      clearTimeout(holds);
    }
  }

  // Numbers grow, so whatever is not newer than the last one was already shown.
  receive(event, token) {
    const number = Number(event.id);
    if (event.kind === 'writing' && token === this.token) this.writing();
    if (token !== this.token || number <= this.last) return;
    this.last = number;
    this.online(true);
    this.heard(JSON.parse(event.data));
  }

  /** Wait before the next try, or until something happens that makes it worth trying now. */
  pause(tries) {
    const most = PAUSES[Math.min(tries, PAUSES.length - 1)];
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.sleepers.delete(go);
        resolve();
      };
      // Many pages that lost one server must not all come back in the same moment.
      const timer = setTimeout(go, most * (0.7 + 0.6 * Math.random()));
      this.sleepers.add(go);
    });
  }

  wake() {
    [...this.sleepers].forEach((go) => go());
  }
}

async function post(path, body, token) {
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), REQUEST_WITHIN);
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = 'Bearer ' + token;
  try {
    return await fetch(path, {
      method: 'POST',
      headers: headers,
      body: JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: abort.signal,
    });
  } finally {
    clearTimeout(late);
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
