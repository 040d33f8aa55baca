// Reads a stream of server-sent events as it arrives, in pieces that may end anywhere.

export class EventReader {
  constructor() {
    this.rest = '';
    this.event = nothing();
  }

  /** The events that this piece of the stream completes. */
  read(piece) {
    const complete = [];
    // A carriage return at the very end may be half of a line end, so it waits for the next piece.
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (this.event.data.length) complete.push({ ...this.event, data: this.event.data.join('\n') });
        this.event = nothing();
      } else {
        this.field(line);
      }
    }
    return complete;
  }

  field(line) {
    const colon = line.indexOf(':');
    if (colon <= 0) return; // A comment: the server's sign of life.
    const value = line.slice(colon + 1).replace(/^ /, '');
    const name = line.slice(0, colon);
    if (name === 'id') this.event.id = value;
    if (name === 'event') this.event.kind = value;
    if (name === 'data') this.event.data.push(value);
  }
}

function nothing() {
  return { id: '', kind: 'message', data: [] };
}
