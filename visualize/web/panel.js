// The panel beside the graph: an overview, the facts about the chosen box, or a step of the backward pass.

const panel = document.getElementById('panel');
let sorting = 'order';

function add(parent, tag, text = null, attributes = {}) {
  const element = document.createElement(tag);
  if (text != null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function rows(parent, pairs) {
  const table = add(parent, 'table');
  for (const [name, value, bad] of pairs) if (value != null && value !== '') {
    const row = add(table, 'tr');
    add(row, 'th', name, { scope: 'row' });
    add(row, 'td', String(value), bad ? { class: 'bad' } : {});
  }
}

function showPanel() {
  const box = shown.boxes.find(b => b.key === state.chosen);
  panel.replaceChildren();
  if (box) facts(box);
  else if (data.steps && state.step) stepFacts(data.steps[state.step - 1]);
  else overview();
}

function facts(box) {
  const kinds = { op: box.vjp ? 'vjp of an op' : 'op', leaf: 'tensor that requires grad', gradient: 'gradient' };
  add(panel, 'h2', box.name);
  const count = (box.count ?? 1) * box.chain.reduce((n, p) => n * byPath.get(p).count, 1);
  const where = box.kind === 'module' ? box.type : box.chain.map(p => byPath.get(p).kind ? `${p} ${byPath.get(p).kind}` : '').filter(Boolean).at(-1);
  add(panel, 'p', [kinds[box.kind] ?? box.kind, where, count > 1 ? '×' + count.toLocaleString('en') : ''].filter(Boolean).join(' · '), { class: 'sub' });
  rows(panel, [['shape', box.shape], ['dtype', box.dtype], ['value', box.value], ['form', box.form], ['difference', box.status],
    ...(box.attributes ?? [])]);
  if (box.kind === 'module') add(panel, 'button', 'Open').addEventListener('click', () => toggle(box.path));
  const held = (box.rows ?? []).filter(r => r[0]);
  if (held.length) { add(panel, 'h3', 'Inputs in this box'); rows(panel, held.map(([name, text]) => [name, text])); }
  if (box.kind === 'op') {
    add(panel, 'h3', 'Kept for backward');
    if (box.freed) add(panel, 'p', 'freed', { class: 'sub' });
    else if (!box.saved) add(panel, 'p', 'nothing', { class: 'sub' });
    else rows(panel, box.saved.map(([n, shape, size, own, times]) => [n, `${shape}, ${size}${times > 1 ? ` in ${times} arrays` : ''}${own ? '' : ' (counted elsewhere)'}`]));
  } else if (box.kept) rows(panel, [['kept', bytes(box.kept)]]);
  if (box.measured) {
    const [forward, backward, size, norm, bad, badGradients] = box.measured;
    add(panel, 'h3', 'Measured');
    rows(panel, [['forward', seconds(forward)], ['backward', seconds(backward)], ['output', bytes(size)],
      ['gradient norm', number(norm)], ['not finite', bad ? `${bad} values` : '', true], ['gradients not finite', badGradients || '', true]]);
  }
  if (box.verdict) { add(panel, 'h3', 'Gradient checks'); add(panel, 'p', box.verdict[1]); }
  if (box.formula) { add(panel, 'h3', 'Mathematics'); add(panel, 'pre', box.formula); }
  if (box.line) { add(panel, 'h3', 'Source'); add(panel, 'p', box.line, { class: 'sub' }); if (box.code) add(panel, 'pre', box.code); }
  const step = (data.steps ?? []).findIndex(s => box.kind === 'op' && s.node === box.nodes[0].id);
  if (step >= 0) { add(panel, 'h3', `Step ${step + 1} of the backward pass`); flow(data.steps[step]); }
}

function glance(parent, g) {
  add(parent, 'p', `${g.shape}, norm ${number(g.norm)}`, { class: 'sub' });
  if (g.numbers) {
    const table = add(add(parent, 'div', null, { class: 'array' }), 'table', null, { class: 'numbers' });
    const limit = Math.max(1e-300, ...g.numbers.map(v => Math.abs(Number(v)) || 0)), columns = Math.max(1, g.columns);
    for (let k = 0; k < g.numbers.length; k += columns) {
      const row = add(table, 'tr');
      for (const v of g.numbers.slice(k, k + columns)) {
        const cell = add(row, 'td', typeof v === 'number' ? String(Number(v.toPrecision(4))) : v);
        const strength = Math.round(Math.abs(Number(v) || 0) / limit * 45);
        cell.style.background = `color-mix(in srgb, ${v < 0 ? 'var(--minus)' : 'var(--plus)'} ${strength}%, transparent)`;
      }
    }
  } else if (g.png) {
    const image = add(parent, 'img', null, { alt: `${g.shape}, largest magnitude ${number(g.limit)}`, src: 'data:image/png;base64,' + g.png });
    image.addEventListener('load', () => { image.style.width = Math.min(3 * image.naturalWidth, 290) + 'px'; });
    add(parent, 'p', `blue −${number(g.limit)}, orange ${number(g.limit)}`, { class: 'sub' });
  }
}

function flow(step) {
  if (step.arrives) { add(panel, 'h3', 'Incoming cotangent'); glance(panel, step.arrives); }
  for (const [name, g] of step.leaves) { add(panel, 'h3', 'Cotangent of ' + name); glance(panel, g); }
}

function stepFacts(step) {
  add(panel, 'h2', step.name);
  add(panel, 'p', `vjp, step ${state.step} of ${data.steps.length}`, { class: 'sub' });
  const node = data.nodes[step.node];
  if (node && node.formula) add(panel, 'pre', node.formula);
  flow(step);
  const filled = new Map();
  for (const s of data.steps.slice(0, state.step)) for (const [name, place, g] of s.filled) filled.set(name, g);
  if (filled.size) {
    add(panel, 'h3', 'Gradients of leaves so far');
    const table = add(panel, 'table', null, { id: 'filled' });
    for (const [name, g] of filled) {
      const row = add(table, 'tr'), fresh = step.filled.some(f => f[0] === name);
      add(row, 'th', name, { scope: 'row' });
      const few = g.numbers && g.numbers.length <= 4 ? ` [${g.numbers.map(number).join(', ')}]` : '';
      add(row, 'td', `${g.shape}, norm ${number(g.norm)}${few}`, fresh ? { style: 'color:var(--back);font-weight:600' } : {});
    }
  }
}

function overview() {
  const ops = data.nodes.filter(n => n.kind === 'op');
  add(panel, 'h2', data.title);
  const kept = ops.reduce((a, n) => a + (n.kept ?? 0), 0), measured = sum(ops);
  rows(panel, [['ops', ops.length.toLocaleString('en')], ['modules', data.clusters.filter(c => c.kind).length || ''], ['kept for backward', kept ? bytes(kept) : ''],
    ['forward', measured ? seconds(measured[0]) : ''], ['backward', measured ? seconds(measured[1]) : ''],
    ['not finite', measured && measured[4] + measured[5] ? `${measured[4]} values, ${measured[5]} gradients` : '', true]]);
  strips(ops);
  table(ops, measured);
  add(panel, 'h3', 'Keys');
  const keys = add(panel, 'table');
  for (const [key, action] of [['/', 'search; Enter: next match'], ['Tab', 'next box; Enter opens or closes it'], ['e c', 'open or close all modules'],
    ['+ − 0 9', 'zoom in, zoom out, fit, show all'], ['arrows', 'pan'], ['t d', 'turn the graph; light or dark'], ['[ ] space', 'last or next step of the backward pass; play'], ['Esc', 'back to this overview']]) {
    const row = add(keys, 'tr');
    add(add(row, 'th', null, { scope: 'row' }), 'kbd', key);
    add(row, 'td', action);
  }
}

function table(ops, measured) {  // the table of ops, sorted by the chosen column
  const columns = [['order', 'op', n => n.id], ...(measured ? [['forward', 'fwd', n => n.measured ? n.measured[0] : 0], ['backward', 'bwd', n => n.measured ? n.measured[1] : 0]] : []),
    ['kept', 'kept', n => n.kept ?? 0]];
  add(panel, 'h3', 'Ops');
  const table = add(panel, 'table', null, { id: 'ops' }), head = add(add(table, 'thead'), 'tr'), body = add(table, 'tbody');
  for (const [key, name] of columns) {
    const cell = add(head, 'th', null, { ...(key === 'order' ? {} : { class: 'number' }), ...(key === sorting ? { 'aria-sort': 'descending' } : {}) });
    add(cell, 'button', name, { title: 'Sort by ' + key }).addEventListener('click', () => { sorting = key; showPanel(); });
  }
  const value = (columns.find(c => c[0] === sorting) ?? columns[0])[2];
  const sorted = [...ops].sort((a, b) => sorting === 'order' ? a.id - b.id : value(b) - value(a));
  for (const node of sorted.slice(0, 200)) {
    const row = add(body, 'tr', null, { class: 'link', tabindex: '0' });
    const place = node.chain.at(-1);
    const name = add(row, 'td', node.name);
    if (place && byPath.get(place).kind) add(name, 'span', place, { class: 'quiet' });
    for (const [key, , of] of columns.slice(1)) add(row, 'td', of(node) ? (key === 'kept' ? bytes : seconds)(of(node)) : '', { class: 'number' });
    const go = () => reveal(node);
    row.addEventListener('click', go);
    row.addEventListener('keydown', e => { if (e.key === 'Enter') go(); });
  }
}

// --- Health: a strip for each op. A curve has the values of the copies of a folded op. ---

const DECADES = 8;  // of the scale of gradients, below the largest
function strips(ops) {
  const found = ops.filter(n => n.health);
  if (!found.length) return;
  add(panel, 'h3', 'Health');
  const grid = add(panel, 'table', null, { id: 'health' }), head = add(grid, 'tr');
  for (const words of ['op', 'gradient', 'spread', 'dead']) add(head, 'th', words);
  const real = v => typeof v === 'number';
  const most = [0, 1].map(k => Math.max(0, ...found.flatMap(n => n.health[k].filter(real))) || 1);
  const scale = [v => v > 0 ? Math.max(0.02, 1 + Math.log10(v / most[0]) / DECADES) : 0, v => v / most[1], v => v];
  const short = v => String(Number(v.toPrecision(3)));
  const write = [short, short, v => Math.round(100 * v) + ' %'];
  for (const node of found.slice(0, 200)) {
    const bad = node.health[3], row = add(grid, 'tr', null, { class: bad ? 'link bad' : 'link', tabindex: '0' });
    const name = add(row, 'td', node.name);
    if (bad) add(name, 'span', `NaN: ${bad} begin here`, { class: 'quiet' });
    else if (node.chain.length) add(name, 'span', node.chain.at(-1), { class: 'quiet' });
    for (const k of [0, 1, 2]) {
      const cell = add(row, 'td'), values = node.health[k].filter(real);
      if (!values.length) { add(cell, 'span', node.health[k].some(v => v != null) ? 'not finite' : '', { class: 'quiet' }); continue; }
      const strip = make(cell, 'svg', { class: 'strip', viewBox: '0 0 56 12' });
      if (values.length > 1) {
        make(strip, 'polyline', { points: values.map((v, j) => `${(56 * j / (values.length - 1)).toFixed(1)},${(11.5 - 11 * scale[k](v)).toFixed(1)}`).join(' ') });
      } else make(strip, 'rect', { width: Math.max(1, 56 * scale[k](values[0])), height: 9, y: 2, rx: 2 });
      const [low, high] = [Math.min(...values), Math.max(...values)].map(write[k]);
      add(cell, 'span', low === high ? low : `${low} … ${high}`, { class: 'quiet' });
    }
    const go = () => reveal(node);
    row.addEventListener('click', go);
    row.addEventListener('keydown', e => { if (e.key === 'Enter') go(); });
  }
}
