// What the pen did, unpacked: typed arrays that grow with the number of moves, never an object a stroke.

class Recording {
  constructor(facts, base64) {
    this.facts = facts;
    this.seconds = facts.seconds;
    this.count = facts.passes.reduce((sum, pass) => sum + pass.moves, 0);
    // The first moment of a move is the last of the move before; moment 0 is the origin.
    this.x = new Float32Array(facts.moments + 1);
    this.y = new Float32Array(facts.moments + 1);
    this.t = new Float64Array(facts.moments + 1);
    this.first = new Uint32Array(this.count + 1);
    this.down = new Uint8Array(this.count);
    this.pass = new Uint16Array(this.count);
    // Before each move: strokes done, and the length of line they have; mm.
    this.strokes = new Uint32Array(this.count + 1);
    this.drawn = new Float64Array(this.count + 1);
    this.unpack(bytesOf(base64));
  }

  unpack(bytes) {
    const { x, y, t, first, down, facts } = this;
    let at = 0;
    const number = () => {
      let value = 0;
      let scale = 1;
      for (;;) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
        scale *= 128;
      }
    };
    const signed = () => {
      const value = number();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    };
    let [px, py, ms, moment, pass] = [0, 0, 0, 0, 0];
    let passEnd = facts.passes.length ? facts.passes[0].moves : 0;
    for (let move = 0; move < this.count; move++) {
      while (move >= passEnd) passEnd += facts.passes[++pass].moves;
      const head = number();
      down[move] = head % 2;
      this.pass[move] = pass;
      first[move] = moment;
      let length = 0;
      for (let left = Math.floor(head / 2); left > 0; left--) {
        px += signed();
        py += signed();
        ms += number();
        moment++;
        x[moment] = px * facts.quantum_mm;
        y[moment] = py * facts.quantum_mm;
        t[moment] = ms / 1000;
        length += Math.hypot(x[moment] - x[moment - 1], y[moment] - y[moment - 1]);
      }
      this.strokes[move + 1] = this.strokes[move] + down[move];
      this.drawn[move + 1] = this.drawn[move] + (down[move] ? length : 0);
    }
    first[this.count] = moment;
  }

  // When a move begins, and when it ends; s.
  begin(move) { return this.t[this.first[move]]; }
  end(move) { return this.t[this.first[move + 1]]; }

  // How many moves are over at a time.
  movesOverAt(time) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end(middle) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // The number of the last moment of a move that is not after a time.
  momentAt(move, time) {
    let moment = this.first[move];
    while (moment < this.first[move + 1] && this.t[moment + 1] <= time) moment++;
    return moment;
  }

  // Where the pen is; mm.
  penAt(time) {
    const move = this.movesOverAt(time);
    const last = this.first[this.count];
    const moment = move < this.count ? this.momentAt(move, time) : last;
    if (moment >= last) return [this.x[last], this.y[last]];
    const [from, to] = [this.t[moment], this.t[moment + 1]];
    const share = to > from ? Math.max(0, (time - from) / (to - from)) : 1;
    const between = (values) => values[moment] + (values[moment + 1] - values[moment]) * share;
    return [between(this.x), between(this.y)];
  }

  // When the nearest stroke begins after a time, or the nearest before it began.
  strokeAfter(time) {
    for (let move = this.movesOverAt(time); move < this.count; move++) {
      if (this.down[move] && this.end(move) > time + 1e-6) return this.end(move);
    }
    return this.seconds;
  }

  strokeBefore(time) {
    for (let move = Math.min(this.movesOverAt(time), this.count - 1); move >= 0; move--) {
      if (this.down[move] && this.begin(move) < time - 1e-6) return this.begin(move);
    }
    return 0;
  }
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
