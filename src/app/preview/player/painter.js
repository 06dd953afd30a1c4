// Ink on the page: a sheet that is painted stroke by stroke, and key frames of it, from which to go back.
//
// A stroke is painted once. To show an earlier time the nearest key frame before it is copied and painted on from; to show
// another part of the page, or other pens, a new sheet is painted while the old one is shown where it now lies.

// Canvases that are kept for going back may take this much memory; bytes.
const KEY_FRAME_BYTES = matchMedia('(pointer: coarse)').matches ? 64e6 : 192e6;
// Key frames are at least this much painting apart; a stroke of two points is about 1.
const LEAST_WORK = 1500;
// A dot has no length, and a canvas draws no line without one; px.
const DOT = 0.01;

class Painter {
  constructor(recording) {
    this.recording = recording;
    this.pens = recording.facts.passes.map((pass) => ({ ...pass, isShown: true }));
    this.isTravelShown = false;
    this.travelColor = '#2f80ed';
    this.sheet = makeSheet(1, 1);
    this.view = { scale: 1, x: 0, y: 0 };
    this.frames = [];
    this.painted = 0;
    // The last sheet that was complete for its view, shown until the new one is.
    this.stale = null;
    this.measure();
  }

  // What painting the moves before each one costs.
  measure() {
    const { recording } = this;
    this.work = new Float64Array(recording.count + 1);
    for (let move = 0; move < recording.count; move++) {
      const points = recording.first[move + 1] - recording.first[move];
      this.work[move + 1] = this.work[move] + (recording.down[move] ? 0.7 + 0.3 * points : 0.1);
    }
  }

  // Forgets what was painted: the view, the size or what is shown has changed. The view takes mm to pixels of the sheet.
  restart(width, height, view) {
    if (this.isComplete) {
      this.stale = { canvas: this.sheet.canvas, view: this.view };
      this.sheet = makeSheet(width, height);
    } else if (this.sheet.canvas.width !== width || this.sheet.canvas.height !== height) {
      this.sheet = makeSheet(width, height);
    }
    this.view = view;
    this.frames = [];
    this.isComplete = false;
    const most = Math.floor(KEY_FRAME_BYTES / (4 * width * height));
    const count = Math.max(4, Math.min(96, most));
    this.frameWork = Math.max(LEAST_WORK, this.work[this.recording.count] / count);
    this.blank();
  }

  // The paper without ink.
  blank() {
    const { sheet } = this;
    sheet.setTransform(1, 0, 0, 1, 0, 0);
    sheet.globalCompositeOperation = 'source-over';
    sheet.fillStyle = this.recording.facts.paper;
    sheet.fillRect(0, 0, sheet.canvas.width, sheet.canvas.height);
    this.painted = 0;
  }

  // Paints on, or goes back, until `target` moves are on the sheet; for about so long (ms). Says whether it is done.
  paintUntil(target, milliseconds) {
    if (target < this.painted || this.frameBefore(target)?.at > this.painted) this.goTo(target);
    const end = performance.now() + milliseconds;
    let isLate = false;
    while (this.painted < target && !isLate) {
      const next = Math.min(target, this.painted + 64);
      this.paintMoves(this.painted, next);
      this.painted = next;
      this.keepFrame();
      isLate = performance.now() > end;
    }
    const isDone = this.painted === target;
    if (isDone) {
      this.isComplete = true;
      this.stale = null;
    }
    return isDone;
  }

  frameBefore(target) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle].at <= target) low = middle + 1;
      else high = middle;
    }
    return this.frames[low - 1];
  }

  goTo(target) {
    const frame = this.frameBefore(target);
    if (!frame) {
      this.blank();
      return;
    }
    this.sheet.setTransform(1, 0, 0, 1, 0, 0);
    this.sheet.globalCompositeOperation = 'copy';
    this.sheet.drawImage(frame.canvas, 0, 0);
    this.painted = frame.at;
  }

  keepFrame() {
    const last = this.frames[this.frames.length - 1];
    const since = last ? last.at : 0;
    if (this.painted <= since || this.work[this.painted] - this.work[since] < this.frameWork) return;
    const { width, height } = this.sheet.canvas;
    const copy = makeSheet(width, height);
    copy.drawImage(this.sheet.canvas, 0, 0);
    this.frames.push({ at: this.painted, canvas: copy.canvas });
  }

  paintMoves(from, to) {
    const { recording, sheet, pens } = this;
    sheet.setTransform(1, 0, 0, 1, 0, 0);
    sheet.lineJoin = 'round';
    sheet.lineCap = 'round';
    let current = -2;
    for (let move = from; move < to; move++) {
      const pen = recording.down[move] ? recording.pass[move] : -1;
      if (pen < 0 ? !this.isTravelShown : !pens[pen].isShown) continue;
      const last = recording.first[move + 1];
      if (!this.trace(sheet, move, last)) continue;
      if (pen < 0) this.strokeTravel(sheet);
      else strokeInk(sheet, pens[pen], this.view.scale, pen === current);
      current = pen;
    }
  }

  // Lays the line of a move up to a moment; false if it lies outside of the sheet.
  trace(context, move, last) {
    const { x, y, first } = this.recording;
    const { scale, x: left, y: top } = this.view;
    const { width, height } = context.canvas;
    const reach = (this.pens[this.recording.pass[move]].tip_mm * scale) / 2 + 1;
    let [low, high, over, under] = [true, true, true, true];
    for (let moment = first[move]; moment <= last; moment++) {
      const [px, py] = [x[moment] * scale + left, y[moment] * scale + top];
      low &&= px < -reach;
      high &&= px > width + reach;
      over &&= py < -reach;
      under &&= py > height + reach;
    }
    if (low || high || over || under) return false;
    context.beginPath();
    let [px, py] = [x[first[move]] * scale + left, y[first[move]] * scale + top];
    const [startX, startY] = [px, py];
    let isDot = true;
    context.moveTo(px, py);
    for (let moment = first[move] + 1; moment <= last; moment++) {
      [px, py] = [x[moment] * scale + left, y[moment] * scale + top];
      isDot &&= px === startX && py === startY;
      context.lineTo(px, py);
    }
    if (isDot) context.lineTo(startX + DOT, startY);
    return true;
  }

  strokeTravel(context) {
    context.globalCompositeOperation = 'source-over';
    context.strokeStyle = this.travelColor;
    context.globalAlpha = 0.55;
    context.lineWidth = Math.max(0.75, 0.1 * this.view.scale);
    context.stroke();
    context.globalAlpha = 1;
  }

  // The move that is under way at a time, as far as it is.
  paintCurrent(context, time) {
    const { recording, pens } = this;
    const move = recording.movesOverAt(time);
    if (move >= recording.count) return;
    const isDown = recording.down[move];
    const pen = pens[recording.pass[move]];
    if (isDown ? !pen.isShown : !this.isTravelShown) return;
    const moment = recording.momentAt(move, time);
    if (!this.trace(context, move, moment)) return;
    const [penX, penY] = recording.penAt(time);
    const { scale, x, y } = this.view;
    context.lineTo(penX * scale + x, penY * scale + y);
    context.lineJoin = 'round';
    context.lineCap = 'round';
    if (isDown) strokeInk(context, pen, scale, false);
    else this.strokeTravel(context);
    context.globalCompositeOperation = 'source-over';
  }
}

// One line of ink as the optical model has it: paint covers by its opacity, then the color glazes what is below.
function strokeInk(context, pen, scale, isSame) {
  if (pen.opacity <= 0 || pen.opacity >= 1) {
    if (!isSame) {
      context.globalCompositeOperation = pen.opacity <= 0 ? 'multiply' : 'source-over';
      context.strokeStyle = pen.color;
      context.lineWidth = pen.tip_mm * scale;
    }
    context.stroke();
    return;
  }
  context.lineWidth = pen.tip_mm * scale;
  context.globalCompositeOperation = 'source-over';
  context.strokeStyle = `rgb(255 255 255 / ${pen.opacity})`;
  context.stroke();
  context.globalCompositeOperation = 'multiply';
  context.strokeStyle = pen.color;
  context.stroke();
}

// A canvas in the processor's memory: a graphics card would copy the sheet for each stroke that multiplies.
function makeSheet(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext('2d', { alpha: false, willReadFrequently: true });
}
