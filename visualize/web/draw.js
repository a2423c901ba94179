// Draws the view as SVG. Every text is inserted as text, never as markup.

const NS = 'http://www.w3.org/2000/svg';
const svg = document.getElementById('graph');
const pen = document.createElement('canvas').getContext('2d');
const FAMILY = getComputedStyle(document.body).fontFamily;
const FONTS = { name: `600 13px ${FAMILY}`, quiet: `11px ${FAMILY}`, frame: `600 12px ${FAMILY}` };
const widths = new Map();
function width(text, font) {
  const key = font + text;
  if (!widths.has(key)) { pen.font = FONTS[font]; widths.set(key, pen.measureText(text).width); }
  return widths.get(key);
}

function make(parent, tag, attributes = {}, text = null) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  if (text != null) element.textContent = text;
  parent.append(element);
  return element;
}

let shown = null;  // the view that is drawn, with positions

function colour(box, vjp = box.vjp) {  // fill and border, as CSS properties
  const named = (kind, name) => [`var(--${kind}-${name}-fill)`, `var(--${kind}-${name}-line)`];
  const own = box.kind === 'op' ? named('family', box.family) : named('kind', box.kind);
  if (box.status === 'failed') return named('verdict', 'wrong');
  if (state.heat === 'status' && box.kind !== 'output') return named('status', box.status || 'same');
  if (!takesGradient(box)) return own;
  if (state.heat === 'verdict') return named('verdict', (box.verdict ? box.verdict[0] : 'not checked').replace(' ', '-'));
  const heat = HEATS[state.heat];
  if (!heat) return own;
  const value = heat.of({ ...box, vjp });
  if (value == null) return named('kind', 'constant');
  if (typeof value === 'string') return named('verdict', 'wrong');
  return [`var(--heat-${Math.min(Math.floor(level(value) * data.heats.length), data.heats.length - 1)})`, 'var(--frame-line)'];
}

let range = { low: 0, high: 1 };
function level(value) {  // from 0 to 1, on a square-root scale; of norms on a logarithmic scale
  if (state.heat !== 'grad') return Math.sqrt(value / range.high);
  return value <= range.low ? 0 : Math.log(value / range.low) / Math.log(range.high / range.low);
}

function measureHeat(boxes) {
  const heat = HEATS[state.heat];
  if (!heat) return;
  const values = boxes.filter(takesGradient).flatMap(b => shown.both ? [heat.of(b), heat.of({ ...b, vjp: true })] : [heat.of(b)])
    .filter(v => typeof v === 'number');
  const high = Math.max(0, ...values) || 1;
  const positive = values.filter(v => v > 0);
  range = { high, low: state.heat === 'grad' ? Math.max(Math.min(high, ...positive), high * 1e-6) : 0 };
}

function draw() {
  shown = view();
  measureHeat(shown.boxes);
  for (const box of shown.boxes) {
    box.title = title(box);
    box.lines = lines(box);
    const first = width(box.title.name, 'name') + (box.title.quiet ? 7 + width(box.title.quiet, 'quiet') : 0);
    box.width = Math.ceil(Math.max(first, ...box.lines.map(l => width(l, 'quiet'))) + 22);
    box.height = 26 + 15 * box.lines.length;
    if (shown.both && takesGradient(box)) {
      const heat = HEATS[state.heat], value = heat && heat.of({ ...box, vjp: true });
      box.second = value != null && state.heat !== 'bytes' ? heat.write(value) : '';
      box.vjpWidth = Math.ceil(Math.max(width('vjp', 'quiet'), width(box.second, 'quiet')) + 18);
      box.width += box.vjpWidth;
      if (box.second) box.height = Math.max(box.height, 41);
    }
  }
  const names = new Map();
  for (const path of shown.frames) {
    const around = chains.get(path).slice(0, -1).filter(p => shown.frames.has(p)).at(-1) ?? null;
    const c = byPath.get(path), name = local((c.label || path), around).trim();
    const plain = ['', 'Sequential', 'ModuleList'].includes(c.kind);
    names.set(path, { name: (name + (c.count > 1 ? ' ×' + c.count.toLocaleString('en') : '')).trim() || 'repeated',
      quiet: (plain ? '' : c.kind) + heatOf(path) });
  }
  const titles = new Map([...names].map(([path, words]) => [path, width(words.name, 'frame') + (words.quiet ? 6 + width(words.quiet, 'quiet') : 0)]));
  const found = layout(shown, state.turned, titles);
  shown.width = found.width; shown.height = found.height;
  svg.replaceChildren();
  const sheet = make(svg, 'g', { id: 'sheet' });
  for (const r of found.rects) {
    make(sheet, 'rect', { class: 'frame', x: r.x, y: r.y, width: r.w, height: r.h, rx: 9 });
    if (byPath.get(r.path).count > 1) make(sheet, 'rect', { class: 'frame', x: r.x + 2.5, y: r.y + 2.5, width: r.w - 5, height: r.h - 5, rx: 7 });
  }
  const arrows = make(sheet, 'g');
  for (const edge of shown.edges) arrow(arrows, edge);
  for (const r of found.rects) frameTitle(sheet, r, names.get(r.path));
  for (const box of shown.boxes) drawBox(sheet, box);
  legend();
  mark();
  pose();
}

function heatOf(path) {  // the sum of the heat in a frame
  if (state.heat !== 'time' && state.heat !== 'bytes') return '';
  const total = shown.boxes.filter(b => b.chain.includes(path)).reduce((a, b) => a + (HEATS[state.heat].of(b) || 0), 0);
  return total ? '  ' + HEATS[state.heat].write(total) : '';
}

function button(element, label, act) {
  element.setAttribute('tabindex', '0');
  element.setAttribute('role', 'button');
  element.setAttribute('aria-label', label);
  element.addEventListener('click', event => { if (!moved) { event.stopPropagation(); act(); } });
  element.addEventListener('keydown', event => {
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); event.stopPropagation(); act(); }
  });
}

function frameTitle(parent, r, words) {
  const g = make(parent, 'g', { class: 'frame', 'data-path': r.path });
  const text = make(g, 'text', { x: r.x + 11, y: r.y + 17 });
  make(text, 'tspan', {}, words.name);
  if (words.quiet) make(text, 'tspan', { class: 'quiet', dx: 6 }, words.quiet);
  make(g, 'title', {}, 'close ' + r.path);
  button(g, 'close module ' + r.path, () => toggle(r.path));
}

function drawBox(parent, box) {
  const status = box.status ? ' ' + box.status : '';
  const hot = state.heat && takesGradient(box) ? ' hot' : '';
  const family = box.kind === 'op' && box.family && box.status !== 'failed' ? ' family-' + box.family : '';
  const g = make(parent, 'g', { class: `box ${box.kind}${hot}${status}${family}`, 'data-key': box.key, 'data-name': box.name });
  box.element = g;
  const [fill, line] = colour(box);
  make(g, 'rect', { x: box.x, y: box.y, width: box.width, height: box.height, rx: 8, style: `--fill:${fill};--line:${line}` });
  if (family === ' family-pool') make(g, 'rect', { class: 'inner', x: box.x + 3, y: box.y + 3, width: box.width - 6, height: box.height - 6, rx: 6, style: `--line:${line}` });
  if (box.vjpWidth) {
    const [second, border] = colour(box, true), x = box.x + box.width - box.vjpWidth, w = box.vjpWidth, h = box.height, y = box.y;
    const d = `M${x} ${y}h${w - 8}a8 8 0 0 1 8 8v${h - 16}a8 8 0 0 1 -8 8h${8 - w}z`;
    make(g, 'path', { d, style: `fill:${second};stroke:${border}` });
    make(g, 'text', { x: x + 9, y: y + 17 }, 'vjp');
    if (box.second) make(g, 'text', { x: x + 9, y: y + 32 }, box.second);
    make(g, 'rect', { class: 'ring', x: box.x, y, width: box.width, height: h, rx: 8, style: `--line:${line}` });
  }
  const name = make(g, 'text', { class: 'name', x: box.x + 11, y: box.y + 17.5 });
  make(name, 'tspan', {}, box.title.name);
  if (box.title.quiet) make(name, 'tspan', { class: 'quiet', dx: 7 }, box.title.quiet);
  box.lines.forEach((text, k) => make(g, 'text', { x: box.x + 11, y: box.y + 33 + 15 * k }, text));
  make(g, 'title', {}, `${box.name}${box.shape ? '  ' + box.shape : ''}`);
  const label = `${box.kind} ${box.title.name} ${box.title.quiet}`.trim();
  if (box.kind === 'module') {
    button(g, 'open ' + label, () => toggle(box.path));
    g.addEventListener('contextmenu', event => { event.preventDefault(); choose(box.key); });
  } else button(g, label, () => choose(box.key));
}

function arrow(parent, edge) {
  const classes = 'edge' + (edge.back ? ' back' : '');
  edge.elements = [];
  const one = (shift, back, reverse) => {
    const points = edge.points.map(([x, y]) => state.turned ? [x, y + shift] : [x + shift, y]);
    const tip = reverse ? points[0] : points.at(-1), before = reverse ? points[1] : points.at(-2);
    const along = state.turned ? 0 : 1, sign = Math.sign(tip[along] - (before ?? tip)[along]) || 1;
    const end = [...tip];
    end[along] -= 5 * sign;
    const line = reverse ? [end, ...points.slice(1)] : [...points.slice(0, -1), end];
    edge.elements.push(make(parent, 'path', { class: classes + (back ? ' back' : ''), d: curve(line) }));
    const [x, y] = tip, s = 6 * sign;
    const d = state.turned ? `M${x} ${y}l${-s} -3.2v6.4z` : `M${x} ${y}l-3.2 ${-s}h6.4z`;
    make(parent, 'path', { class: 'head' + (back || edge.back ? ' back' : ''), d });
  };
  const returns = shown.both && takesGradient(edge.target) && (takesGradient(edge.source) || ['leaf', 'parameter'].includes(edge.source.kind));
  one(returns ? -5 : 0, false, false);
  if (returns || (shown.both && edge.target.kind === 'output')) one(5, true, true);
  if (edge.label) {
    const [x, y] = edge.points[1] && Math.abs(edge.points[1][0] - edge.points[0][0]) < 1 ? mid(edge.points[0], edge.points[1]) : edge.points[0];
    const at = state.turned ? { x: edge.points[0][0] + 7, y: edge.points[0][1] - 6 } : { x: x + (returns ? 12 : 7), y: edge.points[0][1] + 15 };
    make(parent, 'text', { class: 'shape', ...at }, edge.label);
  }
}
const mid = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function curve(points) {  // a path through the points, parallel to the flow at each
  let d = `M${points[0][0].toFixed(1)} ${points[0][1].toFixed(1)}`;
  for (let k = 1; k < points.length; k++) {
    const [a, b] = [points[k - 1], points[k]], c = state.turned ? mid(a, b)[0] : mid(a, b)[1];
    const n = v => v.toFixed(1);
    const straight = state.turned ? Math.abs(a[1] - b[1]) < 0.6 : Math.abs(a[0] - b[0]) < 0.6;
    if (straight) d += `L${n(b[0])} ${n(b[1])}`;
    else if (state.turned) d += `C${n(c)} ${n(a[1])} ${n(c)} ${n(b[1])} ${n(b[0])} ${n(b[1])}`;
    else d += `C${n(a[0])} ${n(c)} ${n(b[0])} ${n(c)} ${n(b[0])} ${n(b[1])}`;
  }
  return d;
}

function legend() {
  const panel = document.getElementById('legend'), heat = HEATS[state.heat];
  panel.replaceChildren();
  const add = (parent, tag, text, className) => {
    const e = document.createElement(tag);
    if (text != null) e.textContent = text;
    if (className) e.className = className;
    parent.append(e);
    return e;
  };
  const named = (words, colours, family) => {
    const row = add(panel, 'div', null, 'named');
    const sample = make(row, 'svg', {}), box = make(sample, 'g', { class: `sample ${family}` });
    const style = `--fill:${colours[0]};--line:${colours[1]}`;
    make(box, 'rect', { x: 1, y: 1, width: 20, height: 13, rx: 4, style });
    if (family === 'family-pool') make(box, 'rect', { class: 'inner', x: 3.5, y: 3.5, width: 15, height: 8, rx: 2, style });
    add(row, 'span', words);
  };
  const table = name => [`var(--${name}-fill)`, `var(--${name}-line)`];
  panel.hidden = false;
  if (!state.heat) {
    const seen = new Set();
    for (const box of shown.boxes) {
      const family = box.kind === 'op' && box.status !== 'failed' ? box.family : '';
      if (!family || seen.has(data.families[family])) continue;
      seen.add(data.families[family]);
      named(data.families[family], table('family-' + family), 'family-' + family);
    }
    panel.hidden = !seen.size;
    return;
  }
  if (state.heat === 'verdict' || state.heat === 'status') {
    const words = state.heat === 'verdict' ? { right: 'right', doubtful: 'doubtful', wrong: 'wrong', 'not checked': 'not checked' }
      : { added: '+ added', removed: '- removed', changed: '~ changed', follows: '(~) follows from a change', same: 'same' };
    add(panel, 'div', state.heat === 'verdict' ? 'gradient checks' : 'difference');
    for (const [name, text] of Object.entries(words)) named(text, table(`${state.heat}-${name.replace(' ', '-')}`), '');
    return;
  }
  const at = s => state.heat === 'grad' ? range.low * (range.high / range.low) ** s : range.high * s * s;
  add(panel, 'div', heat.title);
  const bar = add(panel, 'div', null, 'bar'), ends = add(panel, 'div', null, 'ends');
  data.heats.forEach((_, k) => { add(bar, 'i').style.background = `var(--heat-${k})`; });
  for (const s of [0, 0.5, 1]) add(ends, 'span', heat.write(at(s)));
}

// --- Marks: the current step, search matches, the chosen box ---

function mark() {
  const step = data.steps && state.step ? data.steps[state.step - 1] : null;
  const done = new Set((data.steps ?? []).slice(0, Math.max(0, state.step - 1)).map(s => s.node));
  const matches = new Set(found.map(n => n.id));
  let now = null;
  for (const box of shown.boxes) {
    const has = set => box.nodes.some(n => set.has(n.id));
    const isNow = step != null && box.nodes.some(n => n.id === step.node);
    if (isNow) now = box;
    box.element.classList.toggle('now', isNow);
    box.element.classList.toggle('done', !isNow && takesGradient(box) && has(done));
    box.element.classList.toggle('match', matches.size > 0 && has(matches));
    box.element.classList.toggle('chosen', box.key === state.chosen);
  }
  for (const edge of shown.edges) {
    const leaves = edge.back ? edge.source : edge.target;
    edge.elements.forEach((element, k) => {
      element.classList.toggle('now', now != null && leaves === now && (edge.back || !shown.both || k === 1));
      element.classList.toggle('chosen', state.chosen != null && [edge.source.key, edge.target.key].includes(state.chosen));
    });
  }
  return now;
}
