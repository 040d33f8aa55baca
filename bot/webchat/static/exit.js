// Leaves the page at once and so that the back button does not lead here again.

const WITHIN = 3000;

export class Exit {
  /** `before` runs first and must forget everything; `count(left)` tells how many presses of Escape are left. */
  constructor({ button, embedded, before, count }) {
    this.address = button.href;
    this.embedded = embedded && window.parent !== window;
    this.before = before;
    this.count = count;
    this.presses = 0;
    this.calm = 0;
    button.addEventListener('click', (event) => this.leave(event));
    button.addEventListener('keydown', (event) => {
      if (event.key === ' ') this.leave(event);
    });
    document.addEventListener('keydown', (event) => this.press(event));
  }

  press(event) {
    clearTimeout(this.calm);
    if (event.key !== 'Escape' || event.isComposing) {
      this.reset();
      return;
    }
    this.presses += 1;
    if (this.embedded) tellHost('escape');
    if (this.presses >= 3) {
      this.leave(event);
      return;
    }
    this.count(3 - this.presses);
    this.calm = setTimeout(() => this.reset(), WITHIN);
  }

  reset() {
    if (this.presses) this.count(0);
    this.presses = 0;
  }

  leave(event) {
    event.preventDefault();
    document.documentElement.hidden = true;
    document.title = '';
    this.before();
    document.body.textContent = '';
    if (this.embedded) {
      this.leaveHost();
    } else {
      window.location.replace(this.address);
    }
  }

  // The school's page goes too if it may: our widget does it, or the browser lets us because of the press.
  leaveHost() {
    tellHost('leave');
    try {
      window.top.location.replace(this.address);
    } catch (refused) {
      window.location.replace(this.address);
    }
  }
}

// Anybody may hear this: it says which key was pressed, and never what was written.
function tellHost(what) {
  window.parent.postMessage({ porchlight: what }, '*');
}
