/**
 * Takes pictures of boards: reads a JSON list of pictures from standard input, writes a JSON report of each.
 *
 * A board that is longer than PAGE_PX becomes several files: name.png, name-2.png and so on, as one scrolls through it.
 * A picture: { board: path, out: path, prometheus, theme, width, height, rangeS, variables, note, sights: {sight: path} }.
 * A sight is what Chromium can imitate: deuteranopia, protanopia, tritanopia, achromatopsia, blurredVision.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium } from 'playwright-core';
import { serve } from './server.mjs';

const DRAWN_WITHIN_MS = 120_000;
const PAGE_PX = 2160; // two screens
const SURFACE_PX = 15_000; // a browser's surface ends a little above; what lies below is scrolled to, which takes longer
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const QUIET = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--force-color-profile=srgb', ...QUIET];

async function take(browser, address, picture) {
  const { board, out, sights = {}, width, height } = picture;
  const page = await browser.newPage({ viewport: { width, height }, timezoneId: 'Europe/London', locale: 'en-GB' });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('response', (answer) => isMissing(answer, address) && complaints.push(`${answer.status()} ${answer.url()}`));
  try {
    const job = { ...picture, board: JSON.parse(readFileSync(board, 'utf8')) };
    await page.addInitScript((given) => (window.job = given), job);
    await page.goto(`${address}/index.html`);
    await page.waitForFunction(() => window.drawn, null, { timeout: DRAWN_WITHIN_MS });
    const drawn = await page.evaluate(() => window.drawn);
    const pages = await shoot(page, out, width, Math.ceil(drawn.height));
    for (const [sight, path] of Object.entries(sights)) await seenAs(page, sight, path, width, height);
    return { board, out, pages, ...drawn, complaints };
  } finally {
    await page.close();
  }
}

/** Grafana's server also serves the font Inter; here the machine's own stands in. Prometheus's refusals are the panels'. */
function isMissing(answer, address) {
  return answer.status() >= 400 && answer.url().startsWith(address) && !answer.url().includes('/public/fonts/');
}

/** Writes the files of one board; returns their names. */
async function shoot(page, out, width, height) {
  mkdirSync(dirname(out), { recursive: true });
  await page.setViewportSize({ width, height: Math.min(height, SURFACE_PX) });
  const files = [];
  for (let top = 0; top < Math.max(1, height); top += PAGE_PX) {
    const clip = { x: 0, y: top, width, height: Math.min(PAGE_PX, height - top) };
    files.push(files.length ? out.replace(/\.png$/, `-${files.length + 1}.png`) : out);
    await page.screenshot({ path: files.at(-1), clip, fullPage: height > SURFACE_PX });
  }
  return files;
}

/** The first screen as other eyes see it. */
async function seenAs(page, sight, out, width, height) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setEmulatedVisionDeficiency', { type: sight });
  await shoot(page, out, width, height);
  await session.detach();
}

const pictures = JSON.parse(await text(process.stdin));
const { server, address } = await serve();
const browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
try {
  const reports = [];
  for (const picture of pictures) reports.push(await take(browser, address, picture));
  process.stdout.write(`${JSON.stringify(reports, null, 1)}\n`);
} finally {
  await browser.close();
  server.close();
}
