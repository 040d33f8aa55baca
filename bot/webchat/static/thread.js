// Shows the conversation: who said what, what can be pressed, and what is still on its way.

const DOTS_FOR = 12000;
// Whoever writes says so every four seconds.
const WRITING_FOR = 7000;
const NEAR = 60;
// Messages that come this close together are read as one answer.
const TOGETHER = 1500;
const REPLAY_FOR = 2000;

export class Thread {
  constructor({ writer, words, pressed }) {
    Object.assign(this, { writer, words, pressed });
    this.log = document.getElementById('thread');
    this.dots = document.getElementById('dots');
    this.newer = document.getElementById('newer');
    this.newest = null;
    this.sender = '';
    // Where the answer that is being read begins; nothing yet means the top of the page.
    this.first = null;
    this.asked = true;
    this.heardAt = 0;
    this.heardFrom = '';
    // While an earlier conversation is shown again it is neither announced nor read from its beginning.
    this.replaying = false;
    this.dotsTimer = 0;
    this.writing = document.getElementById('writing');
    this.writingTimer = 0;
    this.newer.addEventListener('click', () => {
      this.scroll(document.documentElement.scrollHeight);
    });
    window.addEventListener('scroll', () => {
      if (this.atEnd()) this.newer.hidden = true;
    }, { passive: true });
  }

  /** A message of the bot or the helpline. */
  hear(message) {
    this.hideDots();
    this.hideWriting();
    const now = Date.now();
    const together = now - this.heardAt < TOGETHER;
    const follows = together || this.asked || this.atEnd();
    const element = this.message(message.from === 'operator' ? 'operator' : 'bot');
    if (message.locale) element.lang = message.locale;
    element.append(...this.told(message));
    if (message.choices && message.choices.length) {
      element.classList.add('asks');
      element.append(this.choices(message.choices));
    }
    this.add(element);
    if (!together && !this.asked) this.first = element;
    this.asked = false;
    this.heardAt = now;
    this.heardFrom = message.from;
    this.follow(follows);
  }

  told(message) {
    if (message.document) return [this.writer.file(message.document.address, message.text)];
    return this.writer.paragraphs(message.runs && message.runs.length ? message.runs : [{ text: message.text }]);
  }

  /** What the visitor wrote or pressed; the returned `mark(state)` says how far it got. */
  say(text) {
    const element = this.message('visitor');
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    const state = document.createElement('p');
    state.className = 'state';
    element.append(paragraph, state);
    this.add(element);
    this.first = element;
    this.asked = true;
    this.newer.hidden = true;
    this.scroll(document.documentElement.scrollHeight);
    return (now) => {
      state.textContent = { waiting: this.words.not_sent, refused: this.words.refused }[now] || '';
      element.dataset.state = now;
    };
  }

  message(sender) {
    const element = document.createElement('div');
    element.className = 'message ' + sender + (sender === this.sender ? ' same' : '');
    element.append(document.getElementById('from-' + sender).content.cloneNode(true));
    this.sender = sender;
    return element;
  }

  add(element) {
    if (this.newest) this.newest.classList.add('older');
    this.newest = element;
    this.log.append(element);
  }

  choices(offered) {
    const group = document.createElement('div');
    group.className = 'choices';
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', this.words.choices);
    for (const choice of offered) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = choice.title;
      button.addEventListener('click', () => {
        button.classList.add('chosen');
        this.pressed(choice);
      });
      group.append(button);
    }
    return group;
  }

  /** Dots that say "an answer is coming", for a while; a person answers in their own time, so not for them. */
  expect() {
    if (!this.asked || this.heardFrom === 'operator') return;
    clearTimeout(this.dotsTimer);
    const follows = this.atEnd();
    this.dots.hidden = false;
    this.dotsTimer = setTimeout(() => this.hideDots(), DOTS_FOR);
    if (follows) this.scroll(document.documentElement.scrollHeight);
  }

  /** Whether a person answers here now. */
  get withPerson() {
    return this.heardFrom === 'operator';
  }

  /** Say for a while that a person writes an answer. */
  showWriting() {
    clearTimeout(this.writingTimer);
    const follows = this.atEnd();
    if (!this.writing.textContent) this.writing.textContent = this.words.writing;
    this.writingTimer = setTimeout(() => this.hideWriting(), WRITING_FOR);
    if (follows) this.scroll(document.documentElement.scrollHeight);
  }

  hideWriting() {
    clearTimeout(this.writingTimer);
    this.writing.textContent = '';
  }

  hideDots() {
    clearTimeout(this.dotsTimer);
    this.dots.hidden = true;
  }

  atEnd() {
    const page = document.documentElement;
    return page.scrollHeight - page.clientHeight - window.pageYOffset < NEAR;
  }

  // A long answer is read from its beginning, so we never scroll what was said first out of sight.
  follow(follows) {
    const end = document.documentElement.scrollHeight;
    if (follows) this.scroll(this.replaying ? end : Math.min(this.beginning(), end));
    this.newer.hidden = this.atEnd();
  }

  beginning() {
    if (!this.first) return 0;
    const header = document.querySelector('.top');
    const covered = getComputedStyle(header).position === 'sticky' ? header.offsetHeight : 0;
    return this.first.getBoundingClientRect().top + window.pageYOffset - covered - 12;
  }

  /** Show again what was said before a reload: at once and without announcing it. */
  replay() {
    this.replaying = true;
    this.log.setAttribute('aria-live', 'off');
    setTimeout(() => {
      this.replaying = false;
      this.log.setAttribute('aria-live', 'polite');
    }, REPLAY_FOR);
  }

  scroll(top) {
    window.scrollTo(0, top);
  }
}
