// Pictures of every page at two widths in both themes, to be looked at:
//   node screenshots.mjs SERVER_URL OPERATOR_KEY DIRECTORY [LANGUAGE]
// The server is best a `coffer dev`, which has something to show.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { complaints, launch, open } from './browser.mjs';

const [base, operatorKey, directory, language = 'en'] = process.argv.slice(2);
const WIDTHS = { wide: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };

async function pagesOf(page) {
  await page.goto(`${base}/console/accounts?q=sample`);
  const account = await page.locator('#accounts tbody a').first().getAttribute('href');
  const refund = await (async () => {
    await page.goto(base + account);
    return page.locator('#entries a[href*="do=refund"]').first().getAttribute('href');
  })();
  return {
    overview: '/console', accounts: '/console/accounts', 'accounts-create': '/console/accounts?do=create',
    'accounts-nothing': '/console/accounts?q=nobody', account, grant: `${account}?do=grant`, adjust: `${account}?do=adjust`,
    refund, close: `${account}?do=close`, portal: `${account}?do=portal`, grants: `${account}/grants`, keys: `${account}/keys`,
    holds: `${account}/holds`, prices: '/console/prices', price: '/console/prices?do=set',
    'operator-keys': '/console/operator-keys', 'operator-key': '/console/operator-keys?do=create',
    sessions: '/console/sessions', audit: '/console/audit', store: '/console/store', docs: '/docs/get-credits-balance',
  };
}

await mkdir(directory, { recursive: true });
const browser = await launch();
try {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(browser, { viewport, colorScheme, locale: language });
      const shoot = (name) => page.screenshot({ path: join(directory, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await page.goto(`${base}/console`);
      await shoot('sign-in');
      await page.locator('input[type=password]').fill(operatorKey);
      await page.locator('main form button').last().click();
      await page.waitForURL(/console$/);
      for (const [name, path] of Object.entries(await pagesOf(page))) {
        await page.goto(base + path);
        await shoot(name);
      }
      await page.context().close();
    }
  }
  for (const complaint of complaints) console.error(complaint);
} finally {
  await browser.close();
}
