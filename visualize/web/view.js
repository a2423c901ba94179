// The view: the boxes, frames and edges of the graph while some modules are open and others closed.

const data = JSON.parse(document.getElementById('data').textContent);
const byPath = new Map(data.clusters.map(c => [c.path, c]));
const chains = new Map([[null, []]]);
for (const c of data.clusters) {
  const chain = [];
  for (let at = c.path; at != null && byPath.has(at); at = byPath.get(at).parent) chain.unshift(at);
  chains.set(c.path, chain);
}
data.nodes.forEach((node, id) => { node.id = id; node.chain = chains.get(node.cluster ?? null) ?? []; });

// The nodes in each module, by path, inner modules included.
const members = new Map();
for (const node of data.nodes) for (const path of node.chain) {
  if (!members.has(path)) members.set(path, []);
  members.get(path).push(node);
}
const opsIn = path => (members.get(path) ?? []).filter(n => n.kind === 'op');
const closable = path => opsIn(path).length > 1;
const state = { open: new Set(), phase: data.phase, heat: data.heat ?? '', turned: data.direction === 'LR',
  chosen: null, step: 0, theme: null };

function openTo(depth) {
  state.open.clear();
  for (const c of data.clusters) {
    if (depth == null || chains.get(c.path).filter(p => byPath.get(p).kind).length <= depth) state.open.add(c.path);
  }
}

function local(path, around) {  // the path of a module as written inside a frame
  if (around == null) return path;
  const [name, call] = around.split(' (');
  if (!path.startsWith(name + '.')) return path;
  const rest = path.slice(name.length + 1);
  return call && rest.endsWith(' (' + call) ? rest.slice(0, -call.length - 2) : rest;
}

function sum(nodes) {  // measurements of several nodes: sums, and the gradient norm of the last
  const total = [0, 0, 0, null, 0, 0];
  let any = false;
  for (const { measured } of nodes) if (measured) {
    any = true;
    for (const k of [0, 1, 2, 4, 5]) total[k] += measured[k];
    total[3] = measured[3] ?? total[3];
  }
  return any ? total : null;
}

function normsOf(nodes) {  // the smallest and the largest norm of a gradient
  const ends = nodes.flatMap(n => n.range ?? (n.measured && n.measured[3] != null ? [n.measured[3]] : [])).map(Number);
  return ends.length ? [Math.min(...ends), Math.max(...ends)] : null;
}

function moduleBox(path) {
  const inside = members.get(path), ops = opsIn(path), c = byPath.get(path);
  const worst = ['wrong', 'doubtful', 'right'].find(v => ops.some(n => n.verdict && n.verdict[0] === v));
  return { key: 'm' + path, kind: 'module', name: path, path, nodes: inside, chain: chains.get(path).slice(0, -1),
    type: c.kind, count: c.count, shape: ops.at(-1).shape, dtype: ops.at(-1).dtype, measured: sum(ops), range: normsOf(ops),
    ops: ops.reduce((a, n) => a + (n.ops ?? 1), 0), frozen: ops.every(n => n.frozen), warnings: ops.flatMap(n => n.warnings ?? []),
    kept: ops.reduce((a, n) => a + (n.kept ?? 0), 0), verdict: worst ? ops.find(n => n.verdict && n.verdict[0] === worst).verdict : null,
    status: ops.some(n => n.status) ? 'changed' : '', line: ops[0].line, code: ops[0].code };
}

// {boxes, edges} of the forward graph. A closed module is one box.
function forwardView() {
  const boxes = new Map(), boxOf = [];
  for (const node of data.nodes) {
    const closed = node.chain.find(path => !state.open.has(path) && closable(path));
    const key = closed == null ? 'n' + node.id : 'm' + closed;
    if (!boxes.has(key)) boxes.set(key, closed == null ? { ...node, key, nodes: [node] } : moduleBox(closed));
    boxOf[node.id] = boxes.get(key);
  }
  const edges = [], seen = new Set();
  for (const [source, target, slot, name, , detached] of data.edges) {
    const a = boxOf[source], b = boxOf[target];
    const module = a.kind === 'module' || b.kind === 'module';
    const key = a.key + '>' + b.key + (module ? '' : '>' + slot);
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    edges.push({ source: a, target: b, name, slot, detached });
  }
  const fed = new Map();
  for (const e of edges) if (e.source.kind !== 'parameter' && e.source.value == null) {
    if (!fed.has(e.target)) fed.set(e.target, []);
    fed.get(e.target).push(e.source.shape);
  }
  for (const e of edges) {
    const own = ['constant', 'leaf', 'parameter'].includes(e.source.kind) || e.target.kind === 'output';
    const before = fed.get(e.source) ?? [];
    e.label = !own && e.source.shape && (!before.length || before.some(s => s !== e.source.shape)) ? e.source.shape : '';
  }
  return { boxes: [...boxes.values()], edges };
}

const takesGradient = box => (box.kind === 'op' || box.kind === 'module') && !box.frozen;

function backwardView() {
  const forward = forwardView(), boxes = [], map = new Map();
  for (const box of [...forward.boxes].reverse()) {
    let made = null;
    if (takesGradient(box)) made = { ...box, key: 'v' + box.key, vjp: true };
    else if ((box.kind === 'parameter' || box.kind === 'leaf') && !box.frozen) made = { ...box, key: 'v' + box.key, kind: 'gradient' };
    else if (box.kind === 'output') made = box;
    if (made) { map.set(box, made); boxes.push(made); }
  }
  const edges = [];
  for (const e of forward.edges) {
    const a = map.get(e.target), b = map.get(e.source);
    if (a && b && !e.detached) edges.push({ source: a, target: b, name: e.name, slot: e.slot, label: e.label, back: true });
  }
  return { boxes, edges };
}

// The paths of the frames to draw: clusters that contain at least two boxes or frames.
function frames(boxes) {
  const things = new Map(), drawn = new Set();
  for (const box of boxes) { const p = box.chain.at(-1); things.set(p, (things.get(p) ?? 0) + 1); }
  const deepest = [...data.clusters].sort((a, b) => chains.get(b.path).length - chains.get(a.path).length);
  for (const c of deepest) {
    const n = things.get(c.path) ?? 0;
    if (n >= 2) drawn.add(c.path);
    const up = c.parent ?? undefined;
    things.set(up, (things.get(up) ?? 0) + (n >= 2 ? 1 : n));
  }
  for (const box of boxes) box.frames = box.chain.filter(p => drawn.has(p));
  return drawn;
}

function view() {
  const found = state.phase === 'backward' ? backwardView() : forwardView();
  found.frames = frames(found.boxes);
  found.both = state.phase === 'both';
  return found;
}

// --- Words ---

function scaled(x, units) {
  let at = 0;
  while (Math.abs(x) >= 999.5 && at + 1 < units.length) { x /= 1000; at++; }
  const text = x.toFixed(Math.abs(x) >= 99.5 ? 0 : Math.abs(x) >= 9.95 ? 1 : 2);
  return (text.includes('.') ? text.replace(/\.?0+$/, '') : text) + ' ' + units[at];
}
const bytes = n => scaled(n, ['B', 'kB', 'MB', 'GB', 'TB']);
const seconds = s => scaled(s * 1e6, ['µs', 'ms', 's']);
const number = x => x == null ? '' : typeof x === 'string' ? x : String(Number(x.toPrecision(4)));
const HEATS = {
  time: { title: 'time of an op', write: seconds, of: b => b.measured && (b.vjp ? b.measured[1] : b.measured[0]) },
  bytes: { title: 'kept for backward', write: bytes, of: b => takesGradient(b) && !b.freed ? b.kept ?? 0 : null },
  grad: { title: 'norm of the gradient', write: number, of: b => b.measured && b.measured[3] },
};

function title(box) {
  const around = box.frames.at(-1) ?? null, words = { name: box.name, quiet: '' };
  if (box.kind === 'module') { words.name = local(box.path, around); words.quiet = box.type; }
  else if (box.kind === 'op') {
    if (box.given && !box.vjp) words.name = box.given + ' = ' + box.name;
    const hidden = box.chain.filter(p => !box.frames.includes(p) && byPath.get(p).kind);
    if (hidden.length && hidden.at(-1) === box.chain.at(-1)) words.quiet = local(hidden.at(-1), around);
  } else if (box.kind === 'parameter' || box.kind === 'gradient') {
    words.name = (box.kind === 'gradient' ? 'grad ' : '') + local(box.name, around);
  }
  if (box.kind !== 'op' && box.kind !== 'module') words.quiet = box.value != null ? number(box.value) : box.shape ?? '';
  if (box.vjp) words.quiet = ('vjp ' + words.quiet).trim();
  let count = box.count ?? 1;
  if (box.kind === 'op') for (const p of box.chain) if (!box.frames.includes(p)) count *= byPath.get(p).count;
  const sign = { added: '+ ', removed: '- ', changed: '~ ', follows: '(~) ', failed: '! ' }[box.status] ?? '';
  words.name = sign + words.name;
  if (count > 1) words.name += ' ×' + count.toLocaleString('en');
  return words;
}

function lines(box) {
  const found = [];
  const wrap = (words, between) => {
    let line = '';
    for (const w of words) {
      if (line && (line + between + w).length > 36) { found.push(line); line = w; } else line += (line ? between : '') + w;
    }
    if (line) found.push(line);
  };
  if (box.kind === 'op') {
    if (!box.vjp) wrap(box.brief ?? [], ', ');
    const rows = (box.rows ?? []).filter(r => !box.vjp || r[2] === 'parameter');
    wrap(rows.map(r => (box.vjp ? 'grad ' : '') + r[0] + ' ' + r[1]), ' · ');
  }
  if (box.kind === 'module') found.push(box.ops + ' ops');
  const heat = HEATS[state.heat], value = heat && heat.of(box);
  if (state.heat === 'grad' && box.range && number(box.range[0]) !== number(box.range[1])) {
    found.push(box.range.map(number).join(' … '));
  } else if (value) found.push(heat.write(value));
  else if (!heat && !box.vjp && box.kept && state.heat === '') found.push('keeps ' + bytes(box.kept));
  if (!box.vjp) found.push(...[...new Set(box.warnings ?? [])].slice(0, 3));
  return found.map(line => line.length > 48 ? line.slice(0, 47) + '…' : line);
}
