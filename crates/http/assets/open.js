// Opens a link to an account's page: posts the token that is behind the `#`, which no server and no log has seen, and takes
// it out of the address first, so that it stays in no history.
"use strict";
{
  const token = location.hash.slice(1);
  const form = document.getElementById("open-link");
  const opening = document.getElementById("opening");
  history.replaceState(null, "", location.pathname);
  if (token) {
    form.elements.token.value = token;
    form.submit();
  } else if (!opening.hidden) {
    opening.hidden = true;
    document.getElementById("nothing-to-open").hidden = false;
  }
}
