// Runs before the first paint, so that a light page never flashes dark (a file of its own: the content
// security policy refuses inline scripts). src/lib/scheme.ts changes the choice later.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('framefleet.scheme');
  } catch {
    // Storage is switched off: the default serves.
  }
  var light =
    choice === 'light' || (choice === 'auto' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.scheme = light ? 'light' : 'dark';
})();
