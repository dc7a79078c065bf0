// The camera's picture, enlarged without smoothing, with the command, the wish and the human drawn on it.
// A picture is decoded when it is shown, the next few ahead of time, and the latest are kept.

const KEPT = 64;
const AHEAD = 6;
// Over a photograph the theme does not matter; Okabe and Ito's colours, each with its own shape.
const INK = { command: '#56b4e9', wish: '#e69f00', human: '#3ddc97', shade: 'rgba(0, 0, 0, .55)', line: 'rgba(255, 255, 255, .85)' };
const SWEEP = (55 * Math.PI) / 180;

const decoded = new Map();

function picturesOf(i) {
  let entry = decoded.get(i);
  if (entry) {
    decoded.delete(i); // to the young end
  } else {
    const images = lines[i].split('\t').slice(1).map((uri) => {
      const image = new Image();
      image.src = `data:${uri}`;
      return image;
    });
    entry = { images, ready: images.length === 0 };
    entry.done = Promise.allSettled(images.map((image) => image.decode())).then(() => { entry.ready = true; });
  }
  decoded.set(i, entry);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return entry;
}

const viewer = { at: -1, shape: 4 / 3, canvas: byId('picture') };

// The first picture gives the shape, so that a page that opens on a tick without one does not jump later.
function learnShape() {
  const first = lines.findIndex((line) => line.includes('\t'));
  if (first < 0) return;
  const entry = picturesOf(first);
  entry.done.then(() => {
    keepShape(entry.images);
    if (viewer.at >= 0) showPicture(viewer.at);
  });
}

function keepShape(images) {
  const shape = images.reduce((sum, image) => sum + (image.naturalWidth / image.naturalHeight || 0), 0);
  if (shape > 0) viewer.shape = shape;
}

function showPicture(i) {
  viewer.at = i;
  const entry = picturesOf(i);
  if (entry.ready) drawPicture(i, entry);
  else entry.done.then(() => { if (viewer.at === i) drawPicture(i, entry); });
  for (let next = i + 1; next <= Math.min(i + AHEAD, tape.n - 1); next += 1) picturesOf(next);
}

function drawPicture(i, entry) {
  const shown = entry.images.filter((image) => image.naturalWidth > 0);
  keepShape(entry.images);
  const scale = window.devicePixelRatio || 1;
  const width = viewer.canvas.parentElement.clientWidth;
  const height = Math.round(width / viewer.shape);
  fit(viewer.canvas, width, height, scale);
  const pen = viewer.canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = '#000000';
  if (shown.length === 0) drawAbsence(pen, width, height, entry.images.length > 0 ? 'picture does not open' : 'no frame');
  let left = 0;
  for (const image of shown) {
    const share = height * (image.naturalWidth / image.naturalHeight);
    pen.drawImage(image, left, 0, share, height);
    if (left > 0) pen.fillRect(left - 1, 0, 2, height); // between left and right
    left += share;
  }
  drawSteering(pen, i, width, height);
  drawThrottle(pen, i, width, height);
}

function fit(canvas, width, height, scale) {
  const wide = Math.round(width * scale);
  const high = Math.round(height * scale);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.height = `${height}px`;
  }
}

function drawAbsence(pen, width, height, text) {
  pen.fillStyle = '#22272c';
  pen.fillRect(0, 0, width, height);
  pen.strokeStyle = '#333a41';
  pen.lineWidth = 6;
  pen.beginPath();
  for (let x = -height; x < width; x += 24) {
    pen.moveTo(x, height);
    pen.lineTo(x + height, 0);
  }
  pen.stroke();
  pen.fillStyle = '#c9d1d9';
  pen.font = '600 16px system-ui, sans-serif';
  pen.textAlign = 'center';
  pen.fillText(text, width / 2, height * 0.4);
}

// A dial at the bottom: straight ahead is up, full left lock is at its left end.
function drawSteering(pen, i, width, height) {
  const radius = Math.min(width * 0.3, height * 0.42);
  const [x, y] = [width / 2, height - 12];
  const angle = (share) => -Math.PI / 2 - share * SWEEP;
  const on = (share, r) => [x + r * Math.cos(angle(share)), y + r * Math.sin(angle(share))];
  const arc = (from, to, colour, wide) => {
    pen.strokeStyle = colour;
    pen.lineWidth = wide;
    pen.beginPath();
    pen.arc(x, y, radius, angle(Math.max(from, to)), angle(Math.min(from, to)));
    pen.stroke();
  };
  arc(1, -1, INK.shade, 14);
  const steering = tape.steering[i];
  if (steering !== 0) arc(0, steering, INK.command, 10);
  pen.strokeStyle = INK.line;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const share of [-1, -0.5, 0, 0.5, 1]) {
    pen.moveTo(...on(share, radius - 7));
    pen.lineTo(...on(share, radius + 7));
  }
  pen.stroke();
  needle(pen, [x, y], on(steering, radius - 2), INK.command);
  if (Number.isFinite(tape.wishSteering[i])) ring(pen, ...on(tape.wishSteering[i], radius), INK.wish);
  if (Number.isFinite(tape.humanSteering[i])) diamond(pen, ...on(tape.humanSteering[i], radius), INK.human);
}

// A bar at the right: forward is up. Reverse gets room only on a tape that has some.
function drawThrottle(pen, i, width, height) {
  const [top, bottom, wide] = [height * 0.16, height * 0.84, 14];
  const x = width - 18 - wide;
  const low = viewer.reverse ? -1 : 0;
  const y = (share) => bottom - ((Math.max(share, low) - low) / (1 - low)) * (bottom - top);
  pen.fillStyle = INK.shade;
  pen.fillRect(x - 2, top - 2, wide + 4, bottom - top + 4);
  pen.fillStyle = INK.command;
  pen.fillRect(x, Math.min(y(tape.throttle[i]), y(0)), wide, Math.abs(y(tape.throttle[i]) - y(0)));
  pen.strokeStyle = INK.line;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const share of low < 0 ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
    pen.moveTo(x - 4, y(share));
    pen.lineTo(x + (share === 0 ? wide + 4 : 3), y(share));
  }
  pen.stroke();
  if (Number.isFinite(tape.wishThrottle[i])) ring(pen, x + wide / 2, y(tape.wishThrottle[i]), INK.wish);
  if (Number.isFinite(tape.humanThrottle[i])) diamond(pen, x + wide / 2, y(tape.humanThrottle[i]), INK.human);
}

function outlined(pen, colour, path) {
  for (const [style, wide] of [['rgba(0, 0, 0, .7)', 6], [colour, 3]]) {
    pen.strokeStyle = style;
    pen.lineWidth = wide;
    pen.beginPath();
    path();
    pen.stroke();
  }
}

function needle(pen, from, to, colour) {
  pen.lineCap = 'round';
  outlined(pen, colour, () => {
    pen.moveTo(...from);
    pen.lineTo(...to);
  });
  pen.lineCap = 'butt';
}

function ring(pen, x, y, colour) {
  outlined(pen, colour, () => pen.arc(x, y, 8, 0, 2 * Math.PI));
}

function diamond(pen, x, y, colour) {
  outlined(pen, colour, () => {
    pen.moveTo(x, y - 8);
    pen.lineTo(x + 8, y);
    pen.lineTo(x, y + 8);
    pen.lineTo(x - 8, y);
    pen.closePath();
  });
}
