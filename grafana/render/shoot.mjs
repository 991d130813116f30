/**
 * Takes pictures of boards: reads a JSON list of pictures from standard input, writes a JSON report of each.
 *
 * A picture: { board: path, out: path, prometheus, theme, width, height, rangeS, variables, note, sights: {sight: path} }.
 * A sight is what Chromium can imitate: deuteranopia, protanopia, tritanopia, achromatopsia, blurredVision.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium } from 'playwright-core';
import { serve } from './server.mjs';

const DRAWN_WITHIN_MS = 60_000;
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
    await page.setViewportSize({ width, height: Math.max(height, Math.ceil(drawn.height)) });
    await shoot(page, out);
    for (const [sight, path] of Object.entries(sights)) await seenAs(page, sight, path);
    return { board, out, ...drawn, complaints };
  } finally {
    await page.close();
  }
}

/** Grafana's server also serves the font Inter; here the machine's own stands in. Prometheus's refusals are the panels'. */
function isMissing(answer, address) {
  return answer.status() >= 400 && answer.url().startsWith(address) && !answer.url().includes('/public/fonts/');
}

async function shoot(page, out) {
  mkdirSync(dirname(out), { recursive: true });
  await page.screenshot({ path: out });
}

async function seenAs(page, sight, out) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setEmulatedVisionDeficiency', { type: sight });
  await shoot(page, out);
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
