// What pages gain from a script. Without one, dialogs are part of the page and links leave them.
(() => {
  'use strict';

  // A dialog that the server has opened becomes modal: focus stays in it, Escape closes it.
  function raise(wasFetched) {
    for (const dialog of document.querySelectorAll('dialog[data-modal]')) {
      if (dialog.matches(':modal')) continue;
      // Who was quicker than this script is filling it in already.
      const current = dialog.contains(document.activeElement) && document.activeElement;
      dialog.removeAttribute('open');
      dialog.showModal();
      const wrong = dialog.querySelector('.wrong input, .wrong select');
      const first = dialog.querySelector('input:not([type=hidden]), select, .copyable pre');
      // Where there is nothing to fill in, a second Enter must not do what cannot be taken back.
      (current || wrong || first || dialog.querySelector('[data-close], button') || dialog).focus();
      dialog.toggleAttribute('data-fetched', wasFetched);
      dialog.addEventListener('cancel', (event) => {
        event.preventDefault();
        leave(dialog);
      });
      dialog.addEventListener('close', () => leave(dialog)); // a browser need not ask first
    }
  }

  // The page under one that a script has fetched stays what it was. One that came with its page goes with it, by its link, as
  // without a script: neither the address nor the form that was sent brings it again on a reload. To change the address alone is
  // not enough, since browsers may still send the form again. Where a form is on its way, its answer is the next page.
  function leave(dialog) {
    if (dialog.matches('[data-fetched]') || dialog.querySelector('[data-sent]')) {
      dialog.close(); // which gives back the focus
      dialog.remove();
    } else {
      if (!dialog.open) dialog.showModal(); // nothing behind it is begun while its page is on the way out
      location.replace(dialog.dataset.back);
    }
  }

  function offerCopies() {
    for (const button of document.querySelectorAll('.copyable .copy')) button.hidden = false;
  }

  async function copy(button) {
    const pre = button.parentElement.querySelector('pre');
    try {
      await navigator.clipboard.writeText(pre.textContent);
    } catch {
      // Clipboards are for secure pages only: the text is selected, to be copied by hand.
      getSelection().selectAllChildren(pre);
      if (!document.execCommand('copy')) return;
    }
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  document.addEventListener('click', (event) => {
    const close = event.target.closest('[data-close]');
    const dialog = close && close.closest('dialog');
    if (dialog && dialog.matches(':modal')) {
      event.preventDefault();
      leave(dialog);
      return;
    }
    const button = event.target.closest('.copy');
    if (button) copy(button);
  });

  // A form is sent once. What is sent again all the same has the same name, and the server does it once.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('[data-once]')) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
    for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
  });

  // "Try it": the call that any client makes, made from the page.
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!form.matches('[data-try]')) return;
    event.preventDefault();
    const status = form.querySelector('.tried-status');
    const body = form.querySelector('.tried-body');
    try {
      const answer = await fetch(form.dataset.try, {
        method: 'POST',
        headers: { [form.dataset.header]: form.elements.key.value },
        credentials: 'omit',
        cache: 'no-store',
      });
      status.textContent = `HTTP ${answer.status}`;
      body.textContent = await answer.text();
    } catch (error) {
      status.textContent = '–';
      body.textContent = String(error);
    }
    form.querySelector('.tried').hidden = false;
  });

  // What was done is told once: a reload is silent.
  function forgetDone() {
    const url = new URL(location.href);
    if (!url.searchParams.has('done')) return;
    url.searchParams.delete('done');
    history.replaceState(history.state, '', url);
  }

  // A page that comes back from the browser's memory can be used again.
  addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('[data-sent]')) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll('button')) button.removeAttribute('aria-disabled');
    }
  });

  // Where the answer is no dialog, the link is followed: the page, or the browser, says why.
  for (const event of ['htmx:afterOnLoad', 'htmx:sendError', 'htmx:targetError']) {
    document.addEventListener(event, ({ target }) => {
      const link = target.closest('a[hx-target="#dialog-place"]');
      if (link && !document.querySelector('#dialog-place dialog[open]')) location.assign(link.href);
    });
  }

  document.addEventListener('htmx:afterSwap', () => {
    raise(true);
    offerCopies();
  });
  raise(false);
  offerCopies();
  forgetDone();
})();
