// The page itself: the head's and foot's words, the numbers of one tick, and how one moves through the tape.
// All text goes in as text; nothing is ever parsed as HTML.

const now = { at: 0, playing: false, clock: 0, stamp: 0 };

function showWords() {
  byId('title').textContent = head.title;
  const verdict = byId('verdict');
  const [look, icon, text] = foot
    ? [foot.ok ? 'ok' : 'bad', foot.ok ? '✓' : '✗', foot.verdict]
    : ['cut', '!', `this report was cut short after ${tape.n} ticks; it has no verdict`];
  verdict.className = look;
  verdict.append(make('span', 'icon', icon), make('span', '', text));
  const list = byId('facts').querySelector('dl');
  for (const [name, value] of head.facts) list.append(make('dt', '', name), make('dd', '', value));
  byId('facts').hidden = head.facts.length === 0;
  if (foot?.divergence) {
    byId('divergence').hidden = false;
    byId('divergence-text').textContent = `First difference: ${foot.divergence.text}`;
    byId('divergence-go').textContent = `Show tick ${foot.divergence.tick}`;
    byId('divergence-go').addEventListener('click', () => go(indexOfTick(foot.divergence.tick)));
  }
}

// The map stands behind everything in the file, since it is known last, and beside the verdict in the page.
function showMap() {
  const map = byId('map');
  if (map) document.querySelector('.overview').prepend(map);
}

// Percentiles beside a bar whose full length is the budget.
function showLatency() {
  const box = byId('latency');
  box.hidden = !foot || foot.latency.length === 0;
  if (box.hidden) return;
  const table = make('table');
  const titles = table.createTHead().insertRow();
  for (const title of ['stage', 'p50', 'p95', 'p99', 'max', 'budget', 'of budget']) {
    const cell = make('th', '', title);
    cell.scope = 'col';
    titles.append(cell);
  }
  const body = table.createTBody();
  for (const [stage, ...times] of foot.latency) {
    const row = body.insertRow();
    const name = make('th', '', stage);
    name.scope = 'row';
    row.append(name);
    for (const ms of times) row.insertCell().textContent = plain(Number(ms), 2);
    const budget = head.stages.find(([other]) => other === stage)?.[1] ?? null;
    row.insertCell().textContent = budget === null ? '–' : plain(budget, 1);
    const cell = row.insertCell();
    if (budget !== null && budget > 0) cell.append(budgetBar(times.map(Number), budget));
  }
  const caption = table.createCaption();
  caption.textContent = 'Latency in ms; the bar is p99, its mark p50';
  box.append(table);
}

function budgetBar([p50, , p99], budget) {
  const wrap = make('span', 'budget');
  const track = make('span', 'track');
  const fill = make('span', p99 > budget ? 'fill over' : 'fill');
  const half = make('span', 'half');
  fill.style.width = `${Math.min(p99 / budget, 1) * 100}%`;
  half.style.left = `${Math.min(p50 / budget, 1) * 100}%`;
  track.append(fill, half);
  const share = (p99 / budget) * 100;
  wrap.append(track, make('span', p99 > budget ? 'share over' : 'share', `${share < 10 ? share.toFixed(1) : share.toFixed(0)} %${p99 > budget ? ' over' : ''}`));
  return wrap;
}

const both = (pair, unit) => (pair ? `${minus(String(pair[0]))}, ${minus(String(pair[1]))}${unit}` : '–');
const NUMBERS = [
  ['time', (row) => `${plain(row[AT.seconds], 6)} s`],
  ['frame', (row) => (row[AT.frame] === null ? 'none' : `${row[AT.frame]}, ${plain(row[AT.age], 1)} ms old`)],
  ['frame digest', (row) => row[AT.frameDigest]],
  ['observation', (row) => row[AT.observation]],
  ['picture', (row) => row[AT.quality]],
  ['action', actionText],
  ['wish', (row) => both(row[AT.wish], '')],
  ['command', (row) => both(row[AT.command], '')],
  ['pulses', (row) => both(row[AT.pulses], ' ns')],
  ['state', stateText],
  ['notes', (row) => notesOf(row[AT.notes]).join(', ') || '–'],
  ['human', (row) => both(row[AT.human], '')],
  ['stages', (row) => row[AT.stages].map((ns, k) => `${head.stages[k]?.[0]} ${plain(ns / 1e6, 3)}`).join(', ') + ' ms'],
  ['operator', (row) => {
    const [ask, percent, battery] = row[AT.operator];
    return `asks ${ask}, speed ${percent} %${battery === null ? '' : `, battery ${battery}`}`;
  }],
  ['tick before', (row) => {
    const [elapsed, applied, dropped] = row[AT.previous];
    return `${plain(elapsed / 1e6, 3)} ms, pulses ${applied}${dropped > 0 ? `, ${dropped} dropped` : ''}`;
  }],
];

function actionText(row) {
  const action = row[AT.action];
  return action ? `${signed(Number(action[0]), 2)}°, ${plain(Number(action[1]), 3)} m/s` : 'none';
}

function stateText(row) {
  const detail = row[AT.detail];
  if (detail === null) return row[AT.state];
  return typeof detail === 'number' ? `${row[AT.state]} for ${plain(detail, 0)} ms` : `${row[AT.state]}: ${words(detail)}`;
}

const cells = { numbers: [], scores: [] };

function buildTables() {
  for (const [name] of NUMBERS) {
    const row = byId('numbers').insertRow();
    const title = make('th', '', name);
    title.scope = 'row';
    row.append(title);
    cells.numbers.push(row.insertCell());
  }
  byId('scores-title').textContent = head.actions.length > 0 ? 'Probabilities' : 'Policy outputs';
  tape.outputs.forEach((_, k) => {
    const [row, bar, fill, value] = [make('li'), make('span', 'bar'), make('span', 'fill'), make('span', 'value')];
    bar.append(fill);
    row.append(make('span', '', outputName(k)), bar, value);
    byId('scores').append(row);
    cells.scores.push({ row, fill, value });
  });
}

function showNumbers(i) {
  const row = rowOf(lines[i]);
  byId('numbers-title').textContent = `Tick ${tape.tick[i]}`;
  NUMBERS.forEach(([, text], k) => { cells.numbers[k].textContent = text(row); });
  cells.scores.forEach(({ row: line, fill, value }, k) => {
    const score = row[AT.scores][k];
    line.className = k === tape.best[i] && head.actions.length > 0 ? 'chosen' : '';
    value.textContent = score === undefined ? '–' : minus(String(score));
    fill.style.width = `${Math.min(Math.abs(Number(score)) || 0, 1) * 100}%`;
  });
  const badge = byId('badge');
  badge.textContent = row[AT.state];
  badge.className = `badge state-${STATES[tape.state[i]]}`;
  byId('notes').replaceChildren(...notesOf(tape.notes[i]).map((note) => make('span', 'note', note)));
  byId('choice').textContent = head.actions.length > 0 || !row[AT.action] ? chosen(i) : actionText(row);
  byId('gauges').textContent = `steering ${signed(tape.steering[i], 2)} · throttle ${signed(tape.throttle[i], 2)}`;
  byId('place').textContent = `tick ${tape.tick[i]}${tape.timed ? ` · ${plain(tape.time[i], 2)} s` : ''}`;
}

function placeCursor(i) {
  const cursor = byId('cursor');
  const left = xOf(tape.time[i]);
  const right = xOf(timeAfter(i));
  const end = axis.left + plotWidth();
  cursor.hidden = right < axis.left || left > end;
  cursor.style.transform = `translateX(${Math.max(left, axis.left)}px)`;
  cursor.style.width = `${Math.max(Math.min(right, end) - Math.max(left, axis.left), 1.5)}px`;
}

// Shows one tick everywhere; at most once per screen refresh, however fast the mouse is.
let asked = null;
function go(i) {
  const to = Math.min(Math.max(i, 0), tape.n - 1);
  if (asked === null) requestAnimationFrame(() => { const last = asked; asked = null; show(last); });
  asked = to;
  now.at = to;
}

function show(i) {
  keepInView(i);
  placeCursor(i);
  readCharts(i);
  showNumbers(i);
  showPicture(i);
  const slider = byId('slider');
  slider.value = String(i);
  slider.setAttribute('aria-valuetext', `tick ${tape.tick[i]}, ${i + 1} of ${tape.n}, ${STATES[tape.state[i]]}, `
    + `steering ${signed(tape.steering[i], 2)}, throttle ${signed(tape.throttle[i], 2)}`);
  link();
}

// A zoomed span follows the cursor when it leaves.
function keepInView(i) {
  const time = tape.time[i];
  if (time >= axis.from && time < axis.to) return;
  const wide = axis.to - axis.from;
  setSpan(time < axis.from ? time - wide * 0.1 : time - wide * 0.5, wide);
}

function setSpan(from, wide) {
  const all = tape.end - tape.start;
  const span = Math.min(Math.max(wide, tape.step * 8), all);
  axis.from = Math.min(Math.max(from, tape.start), tape.end - span);
  axis.to = axis.from + span;
  byId('span').textContent = `${plain(axis.from, 2)} to ${plain(axis.to, 2)}${tape.timed ? ' s' : ''}`;
  byId('zoom-all').disabled = span >= all;
  byId('zoom-out').disabled = span >= all;
  paintCharts();
  placeCursor(now.at);
}

function zoom(factor) {
  const wide = (axis.to - axis.from) * factor;
  const share = (tape.time[now.at] - axis.from) / (axis.to - axis.from);
  setSpan(tape.time[now.at] - wide * share, wide);
}

// `#frame=57` is the tick of that number, or the nearest before it. Written back at rest only: browsers limit how often.
let linking = 0;
function link() {
  clearTimeout(linking);
  linking = setTimeout(() => {
    try {
      history.replaceState(null, '', `#frame=${tape.tick[now.at]}`);
    } catch {
      // some browsers forbid it for files: the page works without
    }
  }, 300);
}

function indexOfTick(tick) {
  let found = 0;
  tape.tick.forEach((other, i) => { if (other <= tick) found = i; });
  return found;
}

function followLink() {
  const tick = /[#&]frame=(\d+)/.exec(location.hash)?.[1];
  if (tick !== undefined) go(indexOfTick(Number(tick)));
}

function play(on) {
  now.playing = on && tape.n > 1;
  byId('play').textContent = now.playing ? 'Pause' : 'Play';
  if (!now.playing) return;
  if (now.at >= tape.n - 1) go(0);
  now.clock = tape.time[now.at];
  now.stamp = performance.now();
  requestAnimationFrame(advance);
}

function advance(stamp) {
  if (!now.playing) return;
  const rate = Number(byId('rate').value) * (tape.timed ? 1 : 15);
  now.clock += Math.max(stamp - now.stamp, 0) / 1000 * rate;
  now.stamp = stamp;
  const i = tickAt(now.clock);
  if (i !== now.at) go(i);
  if (now.clock >= tape.end) play(false);
  else requestAnimationFrame(advance);
}

// Ticks where a note appears that the tick before did not have, and ticks where the state changes.
function findEvents() {
  tape.noted = [];
  tape.changed = [];
  for (let i = 0; i < tape.n; i += 1) {
    if (tape.notes[i] & ~(i > 0 ? tape.notes[i - 1] : 0)) tape.noted.push(i);
    if (i > 0 && tape.state[i] !== tape.state[i - 1]) tape.changed.push(i);
  }
  if (foot?.divergence) tape.diverged = indexOfTick(foot.divergence.tick);
  viewer.reverse = [tape.throttle, tape.wishThrottle, tape.humanThrottle].some((values) => values.some((value) => value < 0));
}

const after = (list) => list.find((i) => i > now.at);
const before = (list) => list.findLast((i) => i < now.at);
const jump = (i) => { play(false); if (i !== undefined) go(i); };

const STEPS = {
  'tick-back': () => jump(now.at - 1),
  'tick-next': () => jump(now.at + 1),
  'note-back': () => jump(before(tape.noted)),
  'note-next': () => jump(after(tape.noted)),
  'state-back': () => jump(before(tape.changed)),
  'state-next': () => jump(after(tape.changed)),
  'zoom-in': () => zoom(0.5),
  'zoom-out': () => zoom(2),
  'zoom-all': () => setSpan(tape.start, Infinity),
  play: () => play(!now.playing),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === 'SELECT') return;
  const stride = event.shiftKey ? 10 : 1;
  const act = {
    ArrowLeft: () => jump(now.at - stride),
    ArrowRight: () => jump(now.at + stride),
    Home: () => jump(0),
    End: () => jump(tape.n - 1),
    n: STEPS['note-next'], N: STEPS['note-back'], s: STEPS['state-next'], S: STEPS['state-back'],
    '+': STEPS['zoom-in'], '=': STEPS['zoom-in'], '-': STEPS['zoom-out'], 0: STEPS['zoom-all'],
    ' ': ['BUTTON', 'SUMMARY'].includes(event.target.tagName) ? undefined : STEPS.play,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function listen() {
  for (const [id, act] of Object.entries(STEPS)) byId(id).addEventListener('click', act);
  document.addEventListener('keydown', onKey);
  byId('slider').addEventListener('input', (event) => jump(Number(event.target.value)));
  window.addEventListener('hashchange', followLink);
  const area = byId('charts');
  const scrub = (event) => jump(tickAt(timeAt(event.clientX - area.getBoundingClientRect().left)));
  area.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    area.setPointerCapture(event.pointerId);
    scrub(event);
  });
  area.addEventListener('pointermove', (event) => { if (area.hasPointerCapture(event.pointerId)) scrub(event); });
  const repaint = () => { readColours(); paintCharts(); show(now.at); };
  new ResizeObserver(repaint).observe(area);
  new ResizeObserver(() => showPicture(now.at)).observe(byId('screen'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
}

function showMarks() {
  const names = [['command', true], ['wish', has(tape.wishSteering)], ['human', has(tape.humanSteering)]];
  for (const [name, there] of names) {
    if (!there) continue;
    const item = make('span', 'item');
    item.append(make('i', `mark ${name}`), make('span', '', name));
    byId('marks').append(item);
  }
}

showWords();
showMap();
showLatency();
if (tape.n > 0) {
  byId('main').hidden = false;
  findEvents();
  buildTables();
  showMarks();
  addCharts();
  readColours();
  byId('slider').max = String(tape.n - 1);
  setSpan(tape.start, Infinity);
  listen();
  learnShape();
  go(0);
  followLink();
}
