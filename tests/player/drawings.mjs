// The drawings that the player is tried with; the same at every run.

// Numbers from 0 to 1 (a linear congruential generator).
function chance(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const sheet = (width, height, layers) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" fill="none" stroke-width="0.5">\n${layers}\n</svg>\n`;
const layer = (color, paths) => `<g stroke="${color}">${paths.map((path) => `<path d="${path}"/>`).join('\n')}</g>`;

// Spirals, rings and rows in three colors.
export function normal() {
  const spiral = Array.from({ length: 600 }, (_, i) => {
    const [angle, radius] = [i / 12, 4 + i / 12];
    return `${i ? 'L' : 'M'}${(74 + radius * Math.cos(angle)).toFixed(2)} ${(80 + radius * Math.sin(angle)).toFixed(2)}`;
  }).join('');
  const rings = Array.from({ length: 40 }, (_, i) => {
    const [x, y, r] = [20 + (i % 8) * 15, 150 + Math.floor(i / 8) * 10, 2 + (i % 5)];
    return `M${x - r} ${y}A${r} ${r} 0 0 1 ${x + r} ${y}A${r} ${r} 0 0 1 ${x - r} ${y}`;
  });
  const rows = Array.from({ length: 60 }, (_, i) => `M15 ${20 + i}L133 ${26 + i * 0.8}`);
  return sheet(148, 210, [layer('#1d4f9e', rows), layer('#cd192d', rings), layer('#191919', [spiral])].join('\n'));
}

// So many short strokes of four colors, anywhere on an A3 sheet; those of a color in rows to and fro.
export function crowded(count) {
  const random = chance(7);
  const strokes = () => {
    const places = Array.from({ length: count / 4 }, () => [15 + random() * 380, 15 + random() * 260]);
    const row = ([, y]) => Math.floor(y / 2);
    places.sort((a, b) => row(a) - row(b) || (row(a) % 2 ? b[0] - a[0] : a[0] - b[0]));
    return places.map(([x, y]) => {
      const [angle, length] = [random() * 2 * Math.PI, 2 + random() * 6];
      return `M${x.toFixed(2)} ${y.toFixed(2)}l${(length * Math.cos(angle)).toFixed(2)} ${(length * Math.sin(angle)).toFixed(2)}`;
    });
  };
  const colors = ['#f4c20d', '#cd192d', '#1d4f9e', '#191919'];
  return sheet(420, 297, colors.map((color) => layer(color, strokes())).join('\n'));
}
