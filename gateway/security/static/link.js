// The ready link: takes the code out of the address, then exchanges it. Programs that fetch links to show a preview
// run no script, and browsers that load a page in advance wait here, so neither uses the code up.
function signIn() {
  history.replaceState(null, '', document.forms[0].action.replace(/api\/login$/, ''));
  document.forms[0].submit();
}
if (document.prerendering) {
  document.addEventListener('prerenderingchange', signIn, { once: true });
} else {
  signIn();
}
