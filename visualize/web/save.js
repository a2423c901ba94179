// Saves what is in view as a file, and fits the graph to a sheet of paper when it is printed.

const KEPT = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'font-size', 'font-weight', 'font-family', 'opacity', 'rx', 'paint-order'];

function viewAsSvg() {  // a file of its own: the styles of the page are written into its elements
  const { width, height } = svg.getBoundingClientRect(), paper = getComputedStyle(document.body).backgroundColor;
  const copy = svg.cloneNode(true), from = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, k) => {
    const style = getComputedStyle(from[k]);
    element.removeAttribute('style');
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value && !(name === 'rx' && element.tagName !== 'rect')) element.setAttribute(name, value.replaceAll('"', "'"));
    }
    for (const name of ['tabindex', 'role', 'aria-label']) element.removeAttribute(name);
  });
  for (const [name, value] of Object.entries({ xmlns: NS, width, height, viewBox: `0 0 ${width} ${height}` })) copy.setAttribute(name, value);
  copy.removeAttribute('tabindex');
  const back = document.createElementNS(NS, 'rect'), title = document.createElementNS(NS, 'title');
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: paper })) back.setAttribute(name, value);
  title.textContent = data.title;
  copy.prepend(title, back);
  return new XMLSerializer().serializeToString(copy);
}

function offer(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function save(kind) {
  const text = viewAsSvg(), name = (data.title.replace(/[^\w-]+/g, '-') || 'graph') + '.' + kind;
  if (kind === 'svg') { offer(new Blob([text], { type: 'image/svg+xml' }), name); return; }
  const { width, height } = svg.getBoundingClientRect(), image = new Image(), scale = 2;
  image.onload = () => {
    const canvas = document.createElement('canvas');
    canvas.width = width * scale; canvas.height = height * scale;
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(blob => offer(blob, name), 'image/png');
  };
  image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text);
}

let themeBefore = null;
addEventListener('beforeprint', () => {
  themeBefore = document.documentElement.dataset.theme ?? '';
  document.documentElement.dataset.theme = 'light';
  svg.setAttribute('viewBox', `-10 -10 ${shown.width + 20} ${shown.height + 20}`);
  byId('sheet').removeAttribute('transform');
});
addEventListener('afterprint', () => {
  if (themeBefore) document.documentElement.dataset.theme = themeBefore; else delete document.documentElement.dataset.theme;
  svg.removeAttribute('viewBox');
  pose();
});
