// Runs before the first paint, so that a light page never flashes dark and a compact one never jumps (a file of its
// own: the content security policy refuses inline scripts). src/lib/scheme.svelte.ts and src/lib/density.svelte.ts
// change the choices later.
(function () {
  var stored = function (name) {
    try {
      return localStorage.getItem('framefleet.' + name);
    } catch {
      return null; // storage is switched off: the defaults serve
    }
  };
  var scheme = stored('scheme');
  var light =
    scheme === 'light' || (scheme === 'auto' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.scheme = light ? 'light' : 'dark';
  document.documentElement.dataset.density = stored('density') === 'compact' ? 'compact' : 'comfortable';
})();
