// An operator at work in the console, in a real browser: node console.mjs SERVER_URL OPERATOR_KEY
// Prints as JSON what was seen.
import { axe, forgive, open, run } from './browser.mjs';

const [base, operatorKey] = process.argv.slice(2);

async function signIn(page) {
  await page.goto(`${base}/console`);
  await page.getByLabel('Operator key').fill(operatorKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
}

async function wrongKey(browser) {
  const page = await open(browser);
  await page.goto(`${base}/console`);
  await page.getByLabel('Operator key').fill(`${operatorKey}x`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const error = page.getByText('No live operator key has this secret.');
  await error.waitFor();
  const seen = { cookies: (await page.context().cookies()).map((cookie) => cookie.name) };
  await page.context().close();
  return seen;
}

// Opens a dialog by a link, looks at it, fills it in and sends it.
async function act(page, link, fields, submit, findings) {
  await link.click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  findings.push(...await axe(page));
  for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label, { exact: false }).first().fill(value);
  await dialog.getByRole('button', { name: submit }).click();
  return said(page);
}

// What was done, as the page says it that stands after it.
async function said(page) {
  const status = page.getByRole('status').first();
  await status.waitFor();
  await page.waitForLoadState();
  return status.textContent();
}

const focused = (page) => page.evaluate(() => document.activeElement.name || document.activeElement.textContent);

// A dialog is closed by who wants to, not by a press beside it, and the page behind it stays what it was.
async function dialogs(page) {
  const grant = page.getByRole('link', { name: 'Grant credits' });
  await grant.waitFor();
  const before = page.url();
  const dialog = page.getByRole('dialog');
  await page.goto(`${before}?kind=charge`);
  await grant.click();
  await dialog.getByLabel('Credits').fill('5');
  const box = await dialog.boundingBox();
  await page.mouse.click(box.x + 8, box.y + 8);
  await page.mouse.click(5, 5);
  const kept = await dialog.getByLabel('Credits').inputValue();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const focus = await focused(page);
  const filter = new URL(page.url()).search;

  // Where no dialog comes, its link is followed.
  const fails = (route) => (route.request().resourceType() === 'xhr' ? route.abort() : route.continue());
  await page.route('**/*do=grant*', fails);
  await forgive(/^(Failed to load resource: net::ERR_FAILED|htmx:(sendError|afterRequest))/, async () => {
    await grant.click();
    await page.waitForURL(/do=grant/);
    await dialog.waitFor();
  });
  await page.unroute('**/*do=grant*', fails);
  const places = await page.evaluate(() => history.length);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' }); // it goes with its page
  const left = page.url() === before;
  const added = await page.evaluate(() => history.length) - places;

  // What came of a form is not sent again by who reloads the page.
  await page.getByRole('link', { name: 'Open its page' }).click();
  await dialog.getByRole('button').click();
  await dialog.getByRole('button', { name: 'Copy' }).waitFor(); // which the script shows
  await dialog.getByRole('link', { name: 'Close' }).click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.reload();
  const again = await dialog.count();
  return { kept, focus, filter, left, added, again };
}

const firstEntry = (page) => page.locator('#entries tbody tr').first().innerText();

run(async (browser) => {
  const findings = [];
  const refused = await wrongKey(browser);
  const page = await open(browser);
  await page.goto(`${base}/console`);
  findings.push(...await axe(page));
  await signIn(page);
  findings.push(...await axe(page));

  await page.getByRole('link', { name: 'Accounts', exact: true }).first().click();
  await page.getByLabel('Name, external id or id').fill('acm');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/[?&]q=acm/);
  findings.push(...await axe(page));
  const found = await page.locator('#accounts tbody tr').count();
  await page.getByRole('link', { name: 'Acme Studio' }).click();
  await page.getByRole('heading', { name: 'Acme Studio', level: 1 }).waitFor();
  findings.push(...await axe(page));

  const dialog = await dialogs(page);

  const granted = await act(page, page.getByRole('link', { name: 'Grant credits' }),
    { Credits: '250.5', Reference: 'invoice 7' }, 'Grant credits', findings);
  const grantEntry = await firstEntry(page);

  await page.getByRole('link', { name: 'Refund', exact: true }).first().click();
  await page.getByRole('dialog').getByLabel('Credits').fill('1000');
  await page.getByRole('dialog').getByRole('button', { name: 'Refund' }).click();
  const tooMuch = await page.getByRole('dialog').getByRole('alert').textContent();
  await page.waitForLoadState();
  const toMend = await focused(page);
  await page.getByRole('dialog').getByLabel('Credits').click();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Refund', exact: true }).first().click();
  await page.getByRole('dialog').getByLabel('Credits').fill('2');
  await page.getByRole('dialog').getByRole('button', { name: 'Refund' }).click();
  const refunded = await said(page);

  await page.getByLabel('Kind').selectOption('refund');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/[?&]kind=refund/);
  const refundEntry = await firstEntry(page);
  const refundEntries = await page.locator('#entries tbody tr').count();

  for (const name of ['Prices', 'Operator keys', 'Sessions', 'Audit log', 'Store']) {
    await page.getByRole('link', { name, exact: true }).first().click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    findings.push(...await axe(page));
  }
  await page.getByRole('link', { name: 'Audit log', exact: true }).first().click();
  await page.getByRole('heading', { name: 'Audit log', level: 1 }).waitFor();
  await page.waitForLoadState();
  const audit = await page.locator('main tbody tr').allInnerTexts();

  await page.getByRole('button', { name: '中文' }).first().click();
  await page.getByRole('button', { name: '退出登录' }).first().waitFor();
  const chinese = await page.getByRole('heading', { level: 1 }).textContent();
  await page.getByRole('button', { name: '退出登录' }).first().click();
  await page.waitForURL(/sign-in/);
  await page.goto(`${base}/console/accounts`);
  const afterwards = new URL(page.url()).pathname;
  return { refused, found, dialog, granted, grantEntry, tooMuch, toMend, refunded, refundEntry, refundEntries, audit, chinese, afterwards, findings };
});
