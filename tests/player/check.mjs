// Opens players in headless Chromium, as a reader would, and measures them: check.mjs TRACEUR FOLDER CHROMIUM PICTURES.

import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { crowded, normal } from './drawings.mjs';

const [traceur, folder, executablePath, pictures] = process.argv.slice(2);
// The aims are 3 s to open and 30 frames a second; a busy machine gets this many times as long. Nothing else is timed.
const PATIENCE = 4;
const AIMS = { open_s: 3, frames_a_second: 30 };

const failures = [];
function expect(isSo, what) {
  if (!isSo) failures.push(what);
}

function makePlayer(name, svg, flags = []) {
  const [drawing, player] = [join(folder, `${name}.svg`), join(folder, `${name}.html`)];
  writeFileSync(drawing, svg);
  const begin = Date.now();
  execFileSync(traceur, ['preview', drawing, '-o', player, '--quiet', ...flags]);
  const seconds = (Date.now() - begin) / 1000;
  console.log(`${name}: written in ${seconds.toFixed(1)} s, ${(statSync(player).size / 1e6).toFixed(2)} MB`);
  return player;
}

// A page with the player open, and what it complained of.
async function open(browser, player, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => request.url().startsWith('file:') || complaints.push(`asked for ${request.url()}`));
  const begin = Date.now();
  await page.goto(`file://${player}`);
  await page.waitForSelector('html[data-ready=true]', { timeout: AIMS.open_s * PATIENCE * 1000 });
  return { page, complaints, seconds: (Date.now() - begin) / 1000 };
}

// How much of the page's middle is not paper; 0 to 1.
const inkedShare = (page) =>
  page.evaluate(() => {
    const stage = document.getElementById('stage');
    const [width, height] = [Math.floor(stage.width / 2), Math.floor(stage.height / 2)];
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(stage, -width / 2, -height / 2);
    const { data } = copy.getImageData(0, 0, width, height);
    let inked = 0;
    for (let i = 0; i < data.length; i += 4) inked += data[i] + data[i + 1] + data[i + 2] < 600 ? 1 : 0;
    return inked / (data.length / 4);
  });

// What a reader sees, for people to look at.
const keep = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });
const picture = (page) => page.evaluate(() => document.getElementById('stage').toDataURL());
const text = (page, id) => page.evaluate((id) => document.getElementById(id).textContent, id);
const settled = (page, condition, argument) => page.waitForFunction(condition, argument, { timeout: 20_000 }).then(() => true, () => false);
// Waits until the picture is that of its time and view.
async function atRest(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForFunction(() => document.getElementById('inking').hidden, null, { timeout: 10_000 });
}

// Pulls the time line about for two seconds, in every frame another place; frames a second, and the longest wait; ms.
const scrub = (page) =>
  page.evaluate(async () => {
    const slider = document.getElementById('time');
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const waits = [];
    const begin = await frame();
    let last = begin;
    for (let i = 0; last - begin < 2000; i++) {
      slider.value = String(Math.round(5000 + 4900 * Math.sin(i / 9)));
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const now = await frame();
      waits.push(now - last);
      last = now;
    }
    return { frames: (waits.length / (last - begin)) * 1000, longest: Math.max(...waits) };
  });

async function checkNormal(browser, player) {
  const { page, complaints, seconds } = await open(browser, player);
  console.log(`normal: open in ${seconds.toFixed(2)} s`);
  const whole = await inkedShare(page);
  expect(whole > 0.02, `ink is seen: ${whole}`);
  await keep(page, 'normal-light');

  await page.keyboard.press('Home');
  await atRest(page);
  expect((await inkedShare(page)) < whole / 10, 'the page is blank at the beginning');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press(' ');
  expect(await settled(page, () => document.getElementById('clock-now').textContent !== '0:00'), 'space plays');
  await page.keyboard.press(' ');
  const paused = await text(page, 'clock-now');
  await page.waitForTimeout(200);
  expect((await text(page, 'clock-now')) === paused, 'space pauses');
  await page.keyboard.press('End');
  await atRest(page);
  expect(Math.abs((await inkedShare(page)) - whole) < 0.01, 'the end is the whole drawing again');
  await page.keyboard.press('Shift+ArrowLeft');
  expect((await page.inputValue('#time')) !== '10000', 'shift and left go back a stroke');
  await page.keyboard.press('End');
  await page.keyboard.press('1');
  await atRest(page);
  expect((await inkedShare(page)) < whole * 0.9, 'the first pen is off');
  await page.keyboard.press('1');
  for (const [key, back, what] of [['t', 't', 'T shows travel'], ['+', '0', 'plus zooms'], ['d', '0', 'D moves the page']]) {
    await atRest(page);
    const before = await picture(page);
    await page.keyboard.press(key);
    await atRest(page);
    expect((await picture(page)) !== before, what);
    await page.keyboard.press(back);
  }
  await page.keyboard.press('l');
  expect((await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark', 'L turns it dark');
  await atRest(page);
  await keep(page, 'normal-dark');
  await page.keyboard.press('?');
  expect(await page.evaluate(() => document.getElementById('help').open), 'question mark shows the keys');
  await keep(page, 'help');
  await page.keyboard.press('Escape');
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll('button, input, select')].filter(
      (control) => !(control.getAttribute('aria-label') || control.labels?.length || control.textContent.trim()),
    ).length);
  expect(unnamed === 0, `each control has a name: ${unnamed} have none`);
  expect(complaints.length === 0, `the console is silent: ${complaints.join('; ')}`);
  await page.context().close();
}

async function checkPhone(browser, player) {
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: 'dark' };
  const { page, complaints } = await open(browser, player, phone);
  expect((await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark', 'a dark system gets a dark player');
  await page.tap('#pens-toggle');
  expect(await page.isVisible('#pen-list'), 'a tap opens the pens');
  await keep(page, 'phone-dark');
  await page.tap('#play');
  const clocks = () => document.getElementById('clock-now').textContent !== document.getElementById('clock-all').textContent;
  expect(await settled(page, clocks), 'a tap plays');
  await page.tap('#play');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(!overflow, 'nothing hangs over the edge');
  expect(complaints.length === 0, `the console is silent: ${complaints.join('; ')}`);
  await page.context().close();
}

async function checkCrowded(browser, player) {
  const { page, complaints, seconds } = await open(browser, player);
  const { frames, longest } = await scrub(page);
  console.log(
    `200,000 strokes: open in ${seconds.toFixed(2)} s (aim ${AIMS.open_s}), scrub at ${frames.toFixed(0)} frames a second ` +
    `(aim ${AIMS.frames_a_second}), longest frame ${longest.toFixed(0)} ms`,
  );
  expect(frames >= AIMS.frames_a_second / PATIENCE, `it scrubs: ${frames} frames a second`);
  const begin = Date.now();
  await page.keyboard.press('End');
  await atRest(page);
  console.log(`200,000 strokes: the end is whole ${Date.now() - begin} ms after the scrub`);
  await keep(page, 'crowded');
  expect((await inkedShare(page)) > 0.1, 'ink is seen');
  expect(complaints.length === 0, `the console is silent: ${complaints.join('; ')}`);
  await page.context().close();
}

const few = makePlayer('normal', normal());
const many = makePlayer('crowded', crowded(200_000), ['--machine', 'axidraw-v3-a3', '--order', 'keep', '--join', '0mm']);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: 120_000 });
try {
  await checkNormal(browser, few);
  await checkPhone(browser, few);
  await checkCrowded(browser, many);
} finally {
  await browser.close();
}
for (const failure of failures) console.error(`not so: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
