// Pictures of the customer's pages at two widths in both themes, to be looked at:
//   node portal_screenshots.mjs SERVER_URL OPERATOR_KEY ACCOUNT_ID DIRECTORY [LANGUAGE]
// The server is best a `coffer dev`, which has something to show.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { complaints, launch, open } from './browser.mjs';

const [base, operatorKey, account, directory, language = 'en'] = process.argv.slice(2);
const WIDTHS = { wide: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const PAGES = {
  keys: '/portal', create: '/portal?do=create', usage: '/portal/usage', credits: '/portal/credits', statement: '/portal/statement',
  start: '/portal/start', sessions: '/portal/sessions', 'end-all': '/portal/sessions?do=end-all',
};

await mkdir(directory, { recursive: true });
const browser = await launch();
try {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(browser, { viewport, colorScheme, locale: language });
      const shoot = (name) => page.screenshot({ path: join(directory, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      const made = await page.request.post(`${base}/v1/accounts/${account}/portal-sessions`, {
        headers: { authorization: `Bearer ${operatorKey}` }, data: {},
      });
      const { url } = await made.json();
      await page.goto(`${base}/portal`);
      await shoot('nobody');
      await page.goto(url);
      await page.locator('#keys').waitFor();
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(base + path);
        await shoot(name);
      }
      await page.goto(`${base}/portal`);
      for (const doing of ['edit', 'rotate', 'revoke']) {
        await page.goto(base + await page.locator(`#keys a[href*="do=${doing}"]`).first().getAttribute('href'));
        await shoot(doing);
        await page.goto(`${base}/portal`);
      }
      await page.goto(`${base}/portal?do=create`);
      await page.locator('dialog [name=name]').fill(`shown ${width} ${colorScheme}`);
      await page.locator('dialog form button').last().click();
      await page.locator('dialog .copy').first().waitFor();
      await page.locator('dialog .try button').click();
      await page.locator('.tried-status', { hasText: 'HTTP' }).waitFor();
      await shoot('secret');
      await page.context().close();
    }
  }
  for (const complaint of complaints) console.error(complaint);
} finally {
  await browser.close();
}
