// Turns a message into nodes: paragraphs, bold words, telephone numbers that dial, links that open safely.
// Nothing of a message is ever read as HTML. numbers.py finds telephone numbers by the same rules.

const LONG = 7;
const LONGEST = 15;

const LINK = /https:\/\/[^\s<>"'«»“”]+/g;
const LINK_ALONE = /^https:\/\/\S+$/;
const FILE = /^\/documents\/[\w.-]+$/;
const AFTER_LINK = /[.,;:!?…)\]।]+$/;
const NUMBER = /\+?[0-9০-৯]+(?:[ \u00a0\u2011-]?\([0-9০-৯]+\)|[ \u00a0\u2011-][0-9০-৯]+)*/g;
const DATE = /^[0-9০-৯]{4}-[0-9০-৯]{2,4}(-[0-9০-৯]{2})?$/;
const BEFORE = /[\w+/.:\u0400-\u04ff\u0980-\u09ff-]/;
const AFTER = /[\w/%\u0400-\u04ff\u0980-\u09ff-]/;

export class Writer {
  /** `dial` holds the numbers that are too short to be recognised by their length, such as 112. */
  constructor({ dial, newTab }) {
    this.dial = new Set(dial);
    this.newTab = newTab;
  }

  /** One paragraph for each line; those after a blank line stand apart. */
  paragraphs(runs) {
    const paragraphs = [];
    let apart = false;
    for (const line of lines(runs)) {
      const blank = !line.some((run) => run.text.trim());
      if (!blank) {
        const paragraph = document.createElement('p');
        if (apart) paragraph.className = 'apart';
        line.forEach((run) => paragraph.append(...this.shown(run)));
        paragraphs.push(paragraph);
      }
      apart = blank;
    }
    return paragraphs;
  }

  /** A paragraph with the link to a file of ours. */
  file(address, words) {
    const paragraph = document.createElement('p');
    paragraph.append(FILE.test(address) ? this.link(address, words) : words);
    return paragraph;
  }

  shown(run) {
    const nodes = LINK_ALONE.test(run.link || '') ? [this.link(run.link, run.text)] : this.nodes(run.text);
    if (!run.bold) return nodes;
    const strong = document.createElement('strong');
    strong.append(...nodes);
    return [strong];
  }

  nodes(text) {
    const nodes = [];
    let end = 0;
    for (const found of matches(LINK, text)) {
      const address = found.text.replace(AFTER_LINK, '');
      const words = address.replace(/^https:\/\//, '').replace(/\/$/, '');
      nodes.push(...this.numbers(text.slice(end, found.start)), this.link(address, words));
      end = found.start + address.length;
    }
    nodes.push(...this.numbers(text.slice(end)));
    return nodes;
  }

  numbers(text) {
    const nodes = [];
    let end = 0;
    for (const found of matches(NUMBER, text)) {
      const after = found.start + found.text.length;
      const number = alone(text, found.start, after) ? this.dialled(found.text) : null;
      if (number) {
        const link = document.createElement('a');
        link.href = 'tel:' + number;
        link.className = 'call';
        link.textContent = found.text;
        nodes.push(text.slice(end, found.start), link);
        end = after;
      }
    }
    nodes.push(text.slice(end));
    return nodes;
  }

  dialled(written) {
    const digits = written.replace(/[০-৯]/g, (sign) => sign.charCodeAt(0) - 0x9e6).replace(/\D/g, '');
    if (DATE.test(written) || digits.length > LONGEST) return null;
    if (digits.length < LONG && !this.dial.has(digits)) return null;
    return (written[0] === '+' ? '+' : '') + digits;
  }

  link(address, words) {
    const link = document.createElement('a');
    link.href = address;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    link.textContent = words;
    const hint = document.createElement('span');
    hint.className = 'unseen';
    hint.textContent = ' (' + this.newTab + ')';
    link.append(hint);
    return link;
  }
}

/** The runs of each line. */
function lines(runs) {
  const found = [[]];
  for (const run of runs) {
    run.text.split('\n').forEach((text, number) => {
      if (number) found.push([]);
      found[found.length - 1].push({ text: text, bold: run.bold, link: run.link });
    });
  }
  return found;
}

function matches(pattern, text) {
  const found = [];
  text.replace(pattern, (whole, start) => found.push({ text: whole, start: start }));
  return found;
}

function alone(text, start, end) {
  return !(start > 0 && BEFORE.test(text[start - 1])) && !(end < text.length && AFTER.test(text[end]));
}
