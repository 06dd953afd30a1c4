// The player itself: what is shown, when, and how one steers it.

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($('facts').textContent);
const recording = new Recording(facts, $('moves').textContent);
const painter = new Painter(recording);
const stage = $('stage');
const context = stage.getContext('2d', { alpha: false });
const narrow = matchMedia('(max-width: 760px)');

const SPEEDS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
// How long a plot takes to play at the speed that is chosen first; s.
const USUAL_PLAY = 40;
// Painting in a frame; ms. While somebody waits for the whole picture it may be more.
const BUDGET = 11;
const PATIENT_BUDGET = 45;
// A view that comes to rest is painted anew after this; ms.
const SETTLE = 90;
// So little painting is done at once, without waiting for the view to rest.
const LITTLE_WORK = 1800;
// Steps of the time line.
const STEPS = Number($('time').max);

const state = {
  time: facts.seconds,
  isPlaying: false,
  speed: SPEEDS.find((speed) => facts.seconds / speed <= USUAL_PLAY) ?? SPEEDS[SPEEDS.length - 1],
  // Page mm to device pixels of the stage.
  view: { scale: 1, x: 0, y: 0 },
  isFitted: true,
  // When the sheet is to be painted anew; null: it need not be.
  repaintAt: 0,
  scrubbedAt: -Infinity,
  isBedShown: true,
};
let colors = {};
let frameWanted = false;
let lastFrame = null;

// --- the picture -------------------------------------------------------------------------------------------------------

const pixelRatio = () => Math.min(window.devicePixelRatio || 1, 3);

function wantFrame() {
  if (frameWanted) return;
  frameWanted = true;
  requestAnimationFrame(drawFrame);
}

function drawFrame(now) {
  frameWanted = false;
  if (state.isPlaying) {
    const passed = lastFrame === null ? 0 : Math.min(now - lastFrame, 250) / 1000;
    setTime(state.time + passed * state.speed);
    if (state.time >= facts.seconds) pause();
  }
  lastFrame = state.isPlaying ? now : null;
  const target = recording.movesOverAt(state.time);
  const isLittle = painter.work[target] < LITTLE_WORK;
  if (state.repaintAt !== null && (isLittle || now >= state.repaintAt)) restartPainter();
  const isBusy = state.isPlaying || now - state.scrubbedAt < 300;
  const isDone = state.repaintAt === null && painter.paintUntil(target, isBusy ? BUDGET : PATIENT_BUDGET);
  compose();
  showInking(isDone, target);
  if (isDone) document.documentElement.dataset.ready = 'true';
  if (state.isPlaying || !isDone) wantFrame();
}

// The part of the stage that the page covers; device pixels.
function pageArea() {
  const { scale, x, y } = state.view;
  const [width, height] = facts.page_mm;
  const left = Math.max(0, Math.floor(x));
  const top = Math.max(0, Math.floor(y));
  const right = Math.min(stage.width, Math.ceil(x + width * scale));
  const bottom = Math.min(stage.height, Math.ceil(y + height * scale));
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

function restartPainter() {
  const area = pageArea();
  const { scale, x, y } = state.view;
  painter.restart(area.width, area.height, { scale, x: x - area.left, y: y - area.top });
  state.repaintAt = null;
}

function compose() {
  const { scale, x, y } = state.view;
  const [width, height] = facts.page_mm.map((side) => side * scale);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = 'source-over';
  context.fillStyle = colors.desk;
  context.fillRect(0, 0, stage.width, stage.height);
  if (state.isBedShown) drawBed();
  drawShadow(x, y, width, height);
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = facts.paper;
  context.fillRect(x, y, width, height);
  drawInk();
  context.restore();
  context.lineWidth = 1;
  context.strokeStyle = colors.edge;
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
  if (state.time < facts.seconds && state.time > 0) drawPen();
}

// What is painted; while it is being painted anew, the last picture where it now lies.
function drawInk() {
  const { stale, isComplete } = painter;
  const isOld = state.repaintAt !== null || (!isComplete && stale);
  const canvas = isOld && stale && !isComplete ? stale.canvas : painter.sheet.canvas;
  const view = isOld && stale && !isComplete ? stale.view : painter.view;
  const ratio = state.view.scale / view.scale;
  const [left, top] = [state.view.x - view.x * ratio, state.view.y - view.y * ratio];
  context.drawImage(canvas, left, top, canvas.width * ratio, canvas.height * ratio);
  if (isOld || painter.painted !== recording.movesOverAt(state.time)) return;
  context.translate(left, top);
  painter.paintCurrent(context, state.time);
}

function drawShadow(x, y, width, height) {
  const ratio = pixelRatio();
  context.fillStyle = colors.shadow;
  for (let ring = 7; ring > 0; ring -= 1.5) {
    const grown = ring * ratio;
    context.globalAlpha = 0.11;
    context.fillRect(x - grown, y - grown + 4 * ratio, width + 2 * grown, height + 2 * grown);
  }
  context.globalAlpha = 1;
}

function drawBed() {
  const { scale, x, y } = state.view;
  context.beginPath();
  for (const [bedX, bedY] of facts.bed_mm) context.lineTo(bedX * scale + x, bedY * scale + y);
  context.closePath();
  context.setLineDash([5 * pixelRatio(), 5 * pixelRatio()]);
  context.lineWidth = pixelRatio();
  context.strokeStyle = colors.quiet;
  context.stroke();
  context.setLineDash([]);
}

function drawPen() {
  const { scale, x, y } = state.view;
  const [penX, penY] = recording.penAt(state.time);
  const ratio = pixelRatio();
  const move = Math.min(recording.movesOverAt(state.time), recording.count - 1);
  const pen = painter.pens[recording.pass[move]];
  context.beginPath();
  context.arc(penX * scale + x, penY * scale + y, (recording.down[move] ? 5 : 7) * ratio, 0, 2 * Math.PI);
  context.fillStyle = pen.color;
  context.globalAlpha = recording.down[move] ? 1 : 0.25;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 3 * ratio;
  context.strokeStyle = '#fff';
  context.stroke();
  context.lineWidth = 1.5 * ratio;
  context.strokeStyle = '#1f4e79';
  context.stroke();
}

// --- the view ----------------------------------------------------------------------------------------------------------

function resize() {
  const ratio = pixelRatio();
  stage.width = Math.max(1, Math.round(window.innerWidth * ratio));
  stage.height = Math.max(1, Math.round(window.innerHeight * ratio));
  if (state.isFitted) fit();
  else moved();
}

function moved() {
  state.repaintAt = performance.now() + SETTLE;
  wantFrame();
}

// The whole page in what the panels leave of the stage.
function fit() {
  const ratio = pixelRatio();
  const edges = narrow.matches ? [64, 12, 176, 12] : [76, 292, 128, 28];
  const [top, right, bottom, left] = edges.map((edge) => edge * ratio);
  const [width, height] = facts.page_mm;
  const room = [Math.max(80, stage.width - left - right), Math.max(80, stage.height - top - bottom)];
  const scale = Math.min(room[0] / width, room[1] / height);
  const x = Math.round(left + (room[0] - width * scale) / 2);
  const y = Math.round(top + (room[1] - height * scale) / 2);
  state.view = { scale, x, y };
  state.isFitted = true;
  state.repaintAt = 0;
  wantFrame();
}

function pan(dx, dy) {
  const ratio = pixelRatio();
  state.view = { ...state.view, x: state.view.x + dx * ratio, y: state.view.y + dy * ratio };
  state.isFitted = false;
  moved();
}

// Makes everything larger around a place of the window; CSS pixels.
function zoom(factor, atX = window.innerWidth / 2, atY = window.innerHeight / 2) {
  const ratio = pixelRatio();
  const { scale, x, y } = state.view;
  const largest = 400 * ratio;
  const smallest = (40 * ratio) / Math.max(...facts.page_mm);
  const next = Math.max(smallest, Math.min(largest, scale * factor));
  const by = next / scale;
  state.view = { scale: next, x: atX * ratio - (atX * ratio - x) * by, y: atY * ratio - (atY * ratio - y) * by };
  state.isFitted = false;
  moved();
}

// --- time --------------------------------------------------------------------------------------------------------------

function setTime(time) {
  state.time = Math.max(0, Math.min(facts.seconds, time));
  showTime();
  wantFrame();
}

function scrub(time) {
  state.scrubbedAt = performance.now();
  setTime(time);
}

function play() {
  if (facts.seconds <= 0) return;
  if (state.time >= facts.seconds) state.time = 0;
  state.isPlaying = true;
  showPlaying();
  wantFrame();
}

function pause() {
  state.isPlaying = false;
  showPlaying();
  showTime(true);
}

function toggle() {
  if (state.isPlaying) pause();
  else play();
}

function setSpeed(speed) {
  state.speed = speed;
  $('speed').value = String(speed);
}

function changeSpeed(by) {
  const index = SPEEDS.indexOf(state.speed) + by;
  setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, index))]);
}

function jumpToPenChange(by) {
  const begins = [...facts.passes.map((pass) => pass.begin), facts.seconds];
  const later = begins.find((begin) => begin > state.time + 1e-3);
  const before = begins.filter((begin) => begin < state.time - 1e-3).pop();
  scrub((by > 0 ? later : before) ?? state.time);
}

// --- words -------------------------------------------------------------------------------------------------------------

const wholes = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const count = (number) => wholes.format(number);
const meters = (mm) => (mm < 1000 ? `${(mm / 10).toFixed(1)} cm` : `${(mm / 1000).toFixed(mm < 1e5 ? 2 : 0)} m`);

function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  const two = (number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

let toldPass = -1;
let toldAt = 0;

function showTime(isAtRest = false) {
  const share = facts.seconds > 0 ? state.time / facts.seconds : 1;
  const slider = $('time');
  slider.value = String(Math.round(share * STEPS));
  $('ahead').style.left = `${share * 100}%`;
  setText('clock-now', clock(state.time));
  if (recording.count === 0) return;
  const over = recording.movesOverAt(state.time);
  const move = Math.min(over, recording.count - 1);
  const pass = facts.passes[recording.pass[move]];
  const begun = recording.strokes[over] + (over < recording.count ? recording.down[over] : 0);
  const all = recording.strokes[recording.count];
  setText('now-name', pass.name);
  $('now-chip').style.setProperty('--pen', pass.color);
  setText('now-pass', `pass ${recording.pass[move] + 1} of ${facts.passes.length}`);
  setText('now-stroke', `stroke ${count(begun)} of ${count(all)}`);
  setText('now-length', `${meters(recording.drawn[over])} of ${meters(recording.drawn[recording.count])} drawn`);
  markCurrentPen(pass);
  // Spoken words: not in every frame.
  const now = performance.now();
  if (isAtRest || !state.isPlaying || now - toldAt > 1000) {
    toldAt = now;
    const words = `${clock(state.time)} of ${clock(facts.seconds)}, ${pass.name}, stroke ${count(begun)} of ${count(all)}`;
    slider.setAttribute('aria-valuetext', words);
  }
  if (state.isPlaying && toldPass !== recording.pass[move]) setText('said', `Pass ${recording.pass[move] + 1}: ${pass.name}`);
  toldPass = recording.pass[move];
}

function showPlaying() {
  $('play').setAttribute('aria-label', state.isPlaying ? 'Pause' : 'Play');
  $('play').title = state.isPlaying ? 'Pause (space)' : 'Play (space)';
  $('play-icon').setAttribute('d', state.isPlaying ? 'M5 4h3.4v12H5zM11.6 4H15v12h-3.4z' : 'M6 3.5v13l11-6.5z');
}

function showInking(isDone, target) {
  $('inking').hidden = isDone;
  if (isDone) return;
  const share = painter.work[target] > 0 ? painter.work[Math.min(painter.painted, target)] / painter.work[target] : 1;
  setText('inking', `inking ${Math.floor(share * 100)} %`);
}

// --- the panels --------------------------------------------------------------------------------------------------------

// The passes of one pen, which may be mounted again for a refill.
function penPasses(pass) {
  return painter.pens.filter((other) => other.id === pass.id && other.color === pass.color && other.name === pass.name);
}

const penRows = [];

function buildPens() {
  for (const pass of facts.passes) {
    if (penRows.some((row) => row.passes.some((own) => own.begin === pass.begin && own.end === pass.end))) continue;
    const passes = penPasses(pass);
    const item = document.createElement('li');
    const label = document.createElement('label');
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: true });
    const chip = Object.assign(document.createElement('i'), { className: 'chip' });
    chip.style.setProperty('--pen', pass.color);
    const words = document.createElement('span');
    const drawn = passes.reduce((sum, own) => sum + own.draw_mm, 0);
    words.append(
      Object.assign(document.createElement('b'), { textContent: pass.name, title: pass.name }),
      Object.assign(document.createElement('small'), { textContent: `${Number(pass.tip_mm.toFixed(2))} mm tip, ${meters(drawn)}` }),
    );
    label.append(box, chip, words);
    item.append(label);
    $('pen-list').append(item);
    const row = { passes, item, box, label };
    box.addEventListener('change', () => showPen(row, box.checked));
    penRows.push(row);
  }
}

function showPen(row, isShown) {
  row.box.checked = isShown;
  row.label.classList.toggle('off', !isShown);
  for (const pass of row.passes) pass.isShown = isShown;
  state.repaintAt = 0;
  wantFrame();
}

function markCurrentPen(pass) {
  for (const row of penRows) {
    const isCurrent = state.time < facts.seconds && row.passes.some((own) => own.begin === pass.begin);
    row.item.classList.toggle('current', isCurrent);
  }
}

function showTravel(isShown) {
  $('travel').checked = isShown;
  painter.isTravelShown = isShown;
  state.repaintAt = 0;
  wantFrame();
}

function showBed(isShown) {
  $('bed').checked = isShown;
  state.isBedShown = isShown;
  wantFrame();
}

function buildTimeline() {
  const place = (time) => `${facts.seconds > 0 ? (time / facts.seconds) * 100 : 0}%`;
  facts.passes.forEach((pass, index) => {
    const part = document.createElement('i');
    part.style.left = place(pass.begin);
    part.style.width = place(pass.end - pass.begin);
    part.style.setProperty('--pen', pass.color);
    $('marks').append(part);
    if (index === 0) return;
    const mark = document.createElement('b');
    mark.style.left = place(pass.begin);
    $('marks').append(mark);
  });
  $('marks').classList.toggle('many', facts.passes.length > 24);
  $('marks').append(Object.assign(document.createElement('u'), { id: 'ahead' }));
}

function buildWords() {
  const [width, height] = facts.page_mm.map((side) => Math.round(side * 10) / 10);
  const travel = facts.passes.reduce((sum, pass) => sum + pass.travel_mm, 0);
  const drawn = facts.passes.reduce((sum, pass) => sum + pass.draw_mm, 0);
  const parts = [`${width} × ${height} mm`, facts.machine, `${meters(drawn)} drawn`, `${meters(travel)} of travel`];
  $('about').textContent = parts.join(' · ');
  const pens = new Set(facts.passes.map((pass) => pass.name));
  stage.setAttribute('aria-label', `${facts.title}: ${[...pens].join(', ')} on a page of ${width} by ${height} mm`);
  $('clock-all').textContent = clock(facts.seconds);
  for (const speed of SPEEDS) {
    $('speed').append(Object.assign(document.createElement('option'), { value: String(speed), textContent: `${speed}×` }));
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  colors = { desk: color('desk'), quiet: color('quiet'), shadow: color('shadow') };
  colors.edge = theme === 'dark' ? 'rgba(255, 255, 255, 0.14)' : 'rgba(60, 50, 35, 0.2)';
  wantFrame();
}

function toggleTheme() {
  setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
}

function togglePens() {
  const isOpen = $('pens').classList.toggle('open');
  $('pens-toggle').setAttribute('aria-expanded', String(isOpen));
}

// --- keys --------------------------------------------------------------------------------------------------------------

const KEYS = {
  ' ': toggle,
  ArrowLeft: (event) => scrub(event.shiftKey ? recording.strokeBefore(state.time) : state.time - facts.seconds / 100),
  ArrowRight: (event) => scrub(event.shiftKey ? recording.strokeAfter(state.time) : state.time + facts.seconds / 100),
  ArrowUp: () => changeSpeed(1),
  ArrowDown: () => changeSpeed(-1),
  Home: () => scrub(0),
  End: () => scrub(facts.seconds),
  '[': () => jumpToPenChange(-1),
  ']': () => jumpToPenChange(1),
  '+': () => zoom(1.4),
  '=': () => zoom(1.4),
  '-': () => zoom(1 / 1.4),
  '_': () => zoom(1 / 1.4),
  0: fit,
  w: () => pan(0, 80),
  a: () => pan(80, 0),
  s: () => pan(0, -80),
  d: () => pan(-80, 0),
  t: () => showTravel(!painter.isTravelShown),
  b: () => showBed(!state.isBedShown),
  l: toggleTheme,
  p: togglePens,
  '?': () => $('help').showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
  const focused = event.target;
  // A button or a box that has the focus keeps its own keys.
  if (event.key === ' ' && focused.matches('button, input[type="checkbox"], select')) return;
  if (event.key.startsWith('Arrow') && focused.matches('select')) return;
  const row = penRows[Number(event.key) - 1];
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (row) showPen(row, !row.box.checked);
  else if (act) act(event);
  else return;
  event.preventDefault();
}

// --- beginning ---------------------------------------------------------------------------------------------------------

function begin() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
  buildWords();
  buildPens();
  buildTimeline();
  setSpeed(state.speed);
  showTime(true);
  listenToGestures(stage, { pan, zoom, fit });
  window.addEventListener('resize', resize);
  window.addEventListener('keydown', onKey);
  $('play').addEventListener('click', toggle);
  $('time').addEventListener('input', () => scrub((Number($('time').value) / STEPS) * facts.seconds));
  $('speed').addEventListener('change', () => setSpeed(Number($('speed').value)));
  $('travel').addEventListener('change', () => showTravel($('travel').checked));
  $('bed').addEventListener('change', () => showBed($('bed').checked));
  $('zoom-in').addEventListener('click', () => zoom(1.4));
  $('zoom-out').addEventListener('click', () => zoom(1 / 1.4));
  $('fit').addEventListener('click', fit);
  $('theme').addEventListener('click', toggleTheme);
  $('help-open').addEventListener('click', () => $('help').showModal());
  $('pens-toggle').addEventListener('click', togglePens);
  resize();
}

begin();
