// Opens examples/browser/index.html in a real browser, from another origin than the API,
// and prints what the page shows: node balance_page.mjs SERVER_URL API_KEY
import { once } from 'node:events';
import { access, constants, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const TIMEOUT_MS = 60_000; // all in all
const CLOSING_MS = 5_000; // of it kept for closing the browser

async function askPage(browser, site, serverUrl, apiKey) {
  const page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`page: ${message.text()}`);
  });
  page.on('pageerror', (error) => console.error(`page: ${error.message}`));

  await page.goto(site);
  await page.getByLabel('Server URL').fill(serverUrl);
  await page.getByLabel('API key').fill(apiKey);
  await page.getByRole('button', { name: 'Get Credits Balance' }).click();
  await page.waitForFunction(() => document.getElementById('out').textContent !== '');
  return page.locator('#out').textContent();
}

async function balance(serverUrl, apiKey) {
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
  await access(executablePath, constants.X_OK);
  const html = await readFile(new URL('../../examples/browser/index.html', import.meta.url));

  const site = createServer((req, res) => {
    if (req.url === '/') res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
    else res.writeHead(204).end(); // such as /favicon.ico
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');

  let browser;
  try {
    browser = await chromium.launch({
      executablePath,
      headless: true,
      timeout: TIMEOUT_MS - CLOSING_MS,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return await Promise.race([
      askPage(browser, `http://127.0.0.1:${site.address().port}/`, serverUrl, apiKey),
      timeUp,
    ]);
  } finally {
    await browser?.close();
    site.close();
    site.closeAllConnections();
  }
}

function fail(message) {
  console.error(`balance_page: ${message}`);
  process.exit(1); // a browser that would not close is killed with this process
}

const args = process.argv.slice(2);
if (args.length !== 2) fail('usage: node balance_page.mjs SERVER_URL API_KEY');

const timeUp = new Promise((_, reject) => {
  setTimeout(() => reject(new Error('the page showed nothing in time')), TIMEOUT_MS - CLOSING_MS).unref();
});
timeUp.catch(() => {});
setTimeout(() => fail('the browser would not close'), TIMEOUT_MS).unref();

try {
  console.log(await balance(...args));
} catch (error) {
  // The first line only: what follows is playwright's log, which may quote the key.
  fail(error.message.split('\n')[0]);
}
