// A customer on the account's own page, in a real browser: node portal.mjs SERVER_URL LINK CHARGE_URL OPERATOR_KEY
// Prints as JSON what was seen.
import { axe, open, run } from './browser.mjs';

const [base, link, charges, operatorKey] = process.argv.slice(2);

const secretShown = (page) => page.getByRole('dialog').locator('.copyable pre').first().textContent();

// What a program with this key is told; a dead key is told apart by its code.
async function ask(page, key) {
  const answer = await page.request.post(`${base}/api/unwatermark/api/v1/get-credits-balance`, { headers: { 'ZF-API-KEY': key } });
  const { code, result } = await answer.json();
  return { code, credits: result?.user_credits ?? null };
}

async function submit(page, name) {
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
}

const row = (page, name) => page.locator('#keys tbody tr', { hasText: name });

run(async (browser) => {
  const findings = [];
  const page = await open(browser);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(link);
  await page.getByRole('heading', { name: 'API Key Settings', level: 1 }).waitFor();
  await page.locator('#keys').waitFor();
  const opened = page.url();
  const cookies = (await page.context().cookies()).map(({ name, httpOnly, sameSite }) => `${name} ${httpOnly} ${sameSite}`);
  findings.push(...await axe(page));

  // A key, copied, and used right there.
  await page.getByRole('link', { name: 'Create key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  findings.push(...await axe(page));
  await submit(page, 'Create key');
  const nameless = await page.getByRole('dialog').locator('.error').first().textContent();
  await page.waitForLoadState(); // the dialog has its place when the script has run
  await page.getByRole('dialog').getByLabel('Name').fill('my program');
  await page.getByRole('dialog').getByLabel('Spending limit').fill('100');
  await submit(page, 'Create key');
  // The button says for two seconds that it has copied.
  const button = (name) => page.getByRole('dialog').getByRole('button', { name });
  await Promise.all([button('Copied').waitFor(), button('Copy').click()]);
  const secret = await secretShown(page);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('dialog').getByRole('button', { name: 'Send request' }).click();
  await page.locator('.tried-status', { hasText: 'HTTP 200' }).waitFor();
  const tried = await page.locator('.tried-body').textContent();
  findings.push(...await axe(page));
  const live = await ask(page, secret);
  await page.getByRole('dialog').getByRole('link', { name: 'Close' }).click();
  await page.locator('dialog').waitFor({ state: 'detached' }); // it goes with its page
  await page.waitForLoadState();
  const isGone = !(await page.content()).includes(secret) && await page.locator('dialog').count() === 0;

  // The program spends, and it shows.
  const charged = await page.request.post(charges, {
    headers: { authorization: `Bearer ${operatorKey}`, 'idempotency-key': 'portal-1' },
    data: { api_key: secret, credits: '7', reference: 'picture 1' },
  });
  await page.reload();
  const spent = await row(page, 'my program').innerText();
  await page.getByRole('link', { name: 'Usage', exact: true }).first().click();
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor();
  await page.waitForLoadState();
  const byKey = await page.locator('#by-key').innerText();
  findings.push(...await axe(page));
  await page.getByRole('link', { name: 'Statement', exact: true }).first().click();
  await page.getByLabel('Kind').selectOption('charge');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/[?&]kind=charge/);
  const entry = await page.locator('main tbody tr').first().innerText();
  findings.push(...await axe(page));
  const csv = page.getByRole('link', { name: 'Download CSV' });
  const [download] = await Promise.all([page.waitForEvent('download'), csv.click()]);
  const file = download.suggestedFilename();
  for (const name of ['Credits', 'Get started', 'Sessions']) {
    await page.getByRole('link', { name, exact: true }).first().click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    findings.push(...await axe(page));
  }

  // Another secret, beside the old one for a day; then neither.
  await page.getByRole('link', { name: 'API keys', exact: true }).first().click();
  await row(page, 'my program').getByRole('link', { name: 'Rotate' }).click();
  await page.getByRole('dialog').waitFor();
  await submit(page, 'Rotate');
  await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).waitFor();
  const rotated = await secretShown(page);
  const both = [await ask(page, secret), await ask(page, rotated)];
  await page.getByRole('dialog').getByRole('link', { name: 'Close' }).click();
  await page.locator('dialog').waitFor({ state: 'detached' }); // it goes with its page
  await row(page, 'my program').getByRole('link', { name: 'Revoke' }).click();
  await page.getByRole('dialog').waitFor();
  await submit(page, 'Revoke');
  await page.getByRole('status').first().waitFor();
  await page.waitForLoadState();
  const revoked = await row(page, 'my program').innerText();
  const dead = [await ask(page, secret), await ask(page, rotated)];

  // The link is spent, for everybody.
  const other = await open(browser);
  await other.goto(link);
  await other.getByRole('alert').waitFor();
  const spentLink = await other.getByRole('alert').textContent();
  findings.push(...await axe(other));

  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  const answer = await page.goto(`${base}/portal`);
  return {
    opened, cookies, nameless, secret: secret === copied, tried, live, isGone, charged: charged.status(), spent, byKey, entry, file,
    both, revoked, dead, spentLink, afterwards: answer.status(), rotated: rotated !== secret, findings,
  };
});
