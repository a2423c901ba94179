// The controls: pan, zoom, search, open and close modules, switches, steps of the backward pass.

const byId = id => document.getElementById(id);
let found = [], foundAt = -1, moved = false, timer = null;
const camera = { x: 0, y: 0, scale: 1 };

function pose() {
  byId('sheet').setAttribute('transform', `translate(${camera.x} ${camera.y}) scale(${camera.scale})`);
}

function fit() {
  const { width: w, height: h } = svg.getBoundingClientRect();
  camera.scale = Math.max(0.05, Math.min(1.4, w / (shown.width + 20), h / (shown.height + 20)));
  const across = state.turned ? h / (shown.height + 20) : w / (shown.width + 20);
  if (camera.scale < 0.6) camera.scale = Math.min(0.85, across);  // large enough to read, with the start in view
  camera.x = Math.max(8, (w - shown.width * camera.scale) / 2);
  camera.y = Math.max(8, (h - shown.height * camera.scale) / 2);
  pose();
}

function fitAll() {
  const { width: w, height: h } = svg.getBoundingClientRect();
  camera.scale = Math.min(1.4, w / (shown.width + 20), h / (shown.height + 20));
  camera.x = (w - shown.width * camera.scale) / 2;
  camera.y = (h - shown.height * camera.scale) / 2;
  pose();
}

function centre(box) {
  const { width: w, height: h } = svg.getBoundingClientRect();
  camera.x = w / 2 - (box.x + box.width / 2) * camera.scale;
  camera.y = h / 2 - (box.y + box.height / 2) * camera.scale;
  pose();
}

function inSight(box) {
  const { width: w, height: h } = svg.getBoundingClientRect();
  const x = camera.x + box.x * camera.scale, y = camera.y + box.y * camera.scale;
  return x > 0 && y > 0 && x + box.width * camera.scale < w && y + box.height * camera.scale < h;
}

function zoom(factor, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
  const scale = Math.min(4, Math.max(0.01, camera.scale * factor));
  camera.x = x - (x - camera.x) * scale / camera.scale;
  camera.y = y - (y - camera.y) * scale / camera.scale;
  camera.scale = scale;
  pose();
}

function keeping(element, change) {  // the clicked element stays in place on the screen
  const before = element && element.getBoundingClientRect();
  const after = change();
  if (before && after) {
    const now = after.getBoundingClientRect();
    camera.x += before.left - now.left;
    camera.y += before.top - now.top;
    pose();
  }
}

const escaped = text => CSS.escape(text);
function toggle(path) {
  const opening = !state.open.has(path);
  const before = svg.querySelector(opening ? `[data-key="${escaped('m' + path)}"]` : `[data-path="${escaped(path)}"]`);
  keeping(before, () => {
    if (opening) state.open.add(path); else state.open.delete(path);
    draw();
    const after = svg.querySelector(`[data-path="${escaped(path)}"]`) ?? svg.querySelector(`[data-key$="${escaped('m' + path)}"]`);
    if (after) after.focus({ preventScroll: true });
    return after;
  });
  showPanel();
}

function choose(key) { state.chosen = key; mark(); showPanel(); }

function reveal(node) {  // opens the modules around a node, and centres it
  for (const path of node.chain) state.open.add(path);
  draw();
  const box = shown.boxes.find(b => b.nodes.some(n => n.id === node.id) && b.kind !== 'module');
  if (box) { choose(box.key); centre(box); }
}

function search(words) {
  const wanted = words.trim().toLowerCase();
  found = wanted ? data.nodes.filter(n => `${n.name} ${n.cluster ?? ''} ${n.shape ?? ''} ${(n.rows ?? []).map(r => r[0]).join(' ')}`.toLowerCase().includes(wanted)) : [];
  foundAt = -1;
  byId('found').textContent = wanted ? String(found.length) : '';
  mark();
}

function nextMatch() {
  if (!found.length) return;
  foundAt = (foundAt + 1) % found.length;
  byId('found').textContent = `${foundAt + 1}/${found.length}`;
  reveal(found[foundAt]);
}

function goTo(step) {
  state.step = Math.max(0, Math.min(data.steps.length, step));
  state.chosen = null;
  byId('slider').value = state.step;
  const at = state.step ? data.steps[state.step - 1] : null;
  byId('step').textContent = at ? `${state.step} of ${data.steps.length}: ${at.name}` : `${data.steps.length} steps backward`;
  const box = mark();
  if (box && !inSight(box)) centre(box);
  showPanel();
  if (state.step === data.steps.length) pause();
}

function pause() {
  clearInterval(timer);
  timer = null;
  byId('play').textContent = '▶';
  byId('play').setAttribute('aria-label', 'Play');
}

function play() {
  if (timer) { pause(); return; }
  if (state.step === data.steps.length) goTo(0);
  byId('play').textContent = '❚❚';
  byId('play').setAttribute('aria-label', 'Pause');
  timer = setInterval(() => goTo(state.step + 1), Math.max(120, Math.min(900, 12000 / data.steps.length)));
  goTo(state.step + 1);
}

function theme() {
  const dark = state.theme ? state.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  state.theme = dark ? 'light' : 'dark';
  document.documentElement.dataset.theme = state.theme;
}

function turn() { state.turned = !state.turned; draw(); fit(); }
function all(open) { openTo(open ? null : 0); draw(); fit(); showPanel(); }

byId('title').textContent = data.title;
for (const [value, label, there] of [
  ['time', 'time', data.nodes.some(n => n.measured)], ['bytes', 'bytes kept', data.nodes.some(n => n.kept)],
  ['grad', 'gradient norm', data.nodes.some(n => n.measured && n.measured[3] != null)],
  ['verdict', 'gradient checks', data.nodes.some(n => n.verdict)], ['status', 'difference', data.nodes.some(n => n.status && n.status !== 'failed')],
]) if (there || data.heat === value) add(byId('heat'), 'option', label, { value });
byId('phase').value = state.phase;
byId('heat').value = state.heat;
byId('phase').addEventListener('change', e => { state.phase = e.target.value; state.chosen = null; draw(); fit(); showPanel(); });
byId('heat').addEventListener('change', e => { state.heat = e.target.value; draw(); showPanel(); });
byId('open-all').addEventListener('click', () => all(true));
byId('close-all').addEventListener('click', () => all(false));
byId('turn').addEventListener('click', turn);
byId('in').addEventListener('click', () => zoom(1.25));
byId('out').addEventListener('click', () => zoom(0.8));
byId('fit').addEventListener('click', fit);
byId('all').addEventListener('click', fitAll);
byId('save-svg').addEventListener('click', () => save('svg'));
byId('save-png').addEventListener('click', () => save('png'));
byId('theme').addEventListener('click', theme);
byId('search').addEventListener('input', e => search(e.target.value));
byId('search').addEventListener('keydown', e => {
  if (e.key === 'Enter') nextMatch();
  if (e.key === 'Escape') { e.target.value = ''; search(''); svg.focus(); }
});
if (data.cut) { byId('notice').hidden = false; byId('notice').textContent = `${data.cut.toLocaleString('en')} nodes are not shown`; }
if (data.steps && data.steps.length) {
  byId('player').hidden = false;
  byId('slider').max = data.steps.length;
  byId('slider').addEventListener('input', e => { pause(); goTo(Number(e.target.value)); });
  byId('first').addEventListener('click', () => { pause(); goTo(0); });
  byId('back').addEventListener('click', () => { pause(); goTo(state.step - 1); });
  byId('next').addEventListener('click', () => { pause(); goTo(state.step + 1); });
  byId('play').addEventListener('click', play);
}

svg.addEventListener('wheel', e => {
  e.preventDefault();
  const box = svg.getBoundingClientRect();
  if (e.ctrlKey || e.metaKey || Math.abs(e.deltaY) > 60) zoom(Math.exp(-e.deltaY / 400), e.clientX - box.left, e.clientY - box.top);
  else { camera.x -= e.deltaX; camera.y -= e.deltaY; pose(); }
}, { passive: false });
let grip = null;
svg.addEventListener('pointerdown', e => { grip = { x: e.clientX, y: e.clientY, far: 0 }; moved = false; });
addEventListener('pointermove', e => {
  if (!grip) return;
  const dx = e.clientX - grip.x, dy = e.clientY - grip.y;
  grip.far += Math.abs(dx) + Math.abs(dy);
  if (grip.far > 4) moved = true;
  camera.x += dx; camera.y += dy;
  grip.x = e.clientX; grip.y = e.clientY;
  svg.classList.toggle('moving', moved);
  pose();
});
addEventListener('pointerup', () => { grip = null; svg.classList.remove('moving'); });
svg.addEventListener('click', e => { if (!moved && e.target === svg) { state.chosen = null; mark(); showPanel(); } });
addEventListener('resize', fit);

const keys = { '/': () => byId('search').focus(), e: () => all(true), c: () => all(false), t: turn, d: theme, '+': () => zoom(1.25),
  '=': () => zoom(1.25), '-': () => zoom(0.8), 0: fit, 9: fitAll, Escape: () => { state.chosen = null; if (data.steps && state.step) goTo(0); mark(); showPanel(); },
  '[': () => data.steps && goTo(state.step - 1), ']': () => data.steps && goTo(state.step + 1), ' ': () => data.steps && play(),
  ArrowLeft: () => { camera.x += 60; pose(); }, ArrowRight: () => { camera.x -= 60; pose(); },
  ArrowUp: () => { camera.y += 60; pose(); }, ArrowDown: () => { camera.y -= 60; pose(); } };
addEventListener('keydown', e => {
  const control = e.target.closest('input, select, button, aside');
  if (e.ctrlKey || e.metaKey || e.altKey || !(e.key in keys)) return;
  if (control && (control.tagName !== 'ASIDE' || e.key.startsWith('Arrow') || e.key === ' ') && e.key !== 'Escape') return;
  e.preventDefault();
  keys[e.key]();
});

openTo(data.depth ?? (data.nodes.filter(n => n.kind === 'op').length > 40 ? 1 : null));
draw();
fit();
if (data.steps && data.steps.length) goTo(0); else showPanel();
