// What the browser tests share: a real Chromium, and a look at pages with axe.
import { access, constants, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const LAUNCH_TIMEOUT_MS = 90_000;
const STEP_TIMEOUT_MS = 20_000;

export async function launch() {
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
  await access(executablePath, constants.X_OK);
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: LAUNCH_TIMEOUT_MS,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// Whatever the console of any page complains of: a script or a style that the policy refuses is a complaint.
export const complaints = [];

// What was complained of while this was done is no complaint, if it is of this kind.
export async function forgive(kind, work) {
  const before = complaints.length;
  const done = await work();
  complaints.push(...complaints.splice(before).filter((text) => !kind.test(text)));
  return done;
}

// A page of a browser of its own, with no cookies yet.
export async function open(browser, options = {}) {
  const context = await browser.newContext({
    locale: 'en-GB',
    reducedMotion: 'reduce', // no colour is looked at while it changes
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  const complain = (text) => complaints.push(`${text} at ${page.url()}`);
  page.on('console', (message) => {
    // A form that is refused is answered with its status, and the browser tells of that.
    if (message.text().startsWith('Failed to load resource: the server responded with a status of 4')) return;
    if (message.type() === 'error') complain(message.text());
  });
  page.on('pageerror', (error) => complain(error.message));
  return page;
}

// What axe finds serious or critical on the page as it stands, in both themes.
export async function axe(page) {
  const source = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
  const found = [];
  await page.waitForLoadState();
  // No part of the page is fetched again while it is looked at.
  await page.evaluate(() => {
    for (const part of document.querySelectorAll('[hx-trigger^="every"]')) part.replaceWith(part.cloneNode(true));
  });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    // Colours that are on their way from the one theme to the other are those of neither.
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
    // Evaluated by the debugger, which the page's policy does not bind.
    await page.evaluate(source);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      found.push(...nodes.map((node) => `${id} (${impact}, ${colorScheme}): ${node.target} on ${page.url()}: ${node.failureSummary}`));
    }
  }
  await page.emulateMedia({ colorScheme: null });
  return found;
}

// Runs a scenario and prints what it answers as JSON, and what pages complained of meanwhile; what it throws ends the process
// with an error.
export async function run(scenario) {
  let browser;
  try {
    browser = await launch();
    const seen = await scenario(browser);
    console.log(JSON.stringify({ ...seen, complaints }));
  } catch (error) {
    // The first lines, and where it was: between them is playwright's log, which may quote a secret.
    console.error(error.message.split('\n').slice(0, 2).join(' '));
    console.error(error.stack.split('\n').filter((line) => line.includes('/tests/browser/')).join('\n'));
    process.exitCode = 1;
  } finally {
    await browser?.close();
  }
}
