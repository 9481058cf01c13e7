/** Horizontal bars, longest value full width. */
export interface BarChart {
  title: string;
  bars: readonly Bar[];
  /** Small print below, a line each. */
  footer: readonly string[];
}

interface Bar {
  name: string;
  value: number;
  /** What stands behind the bar. */
  label: string;
  tone: 'ours' | 'reference' | 'other';
}

const WIDTH = 820;
const NAMES_WIDTH = 176;
const LABELS_WIDTH = 190;
const TITLE_HEIGHT = 44;
const ROW_HEIGHT = 30;
const BAR_HEIGHT = 18;
const FOOTER_LINE_HEIGHT = 18;
const GAP = 10;

/** Readable on white and on black: an image in a README is told what the reader prefers, and nothing else. */
const STYLE = `
  text { font: 14px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .footer { font-size: 12px; fill: #59636e }
  .name { text-anchor: end }
  .strong { font-weight: 600 }
  .ours { fill: #0969da } .reference { fill: #d1d9e0 } .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .footer { fill: #9198a1 }
    .ours { fill: #4493f8 } .reference { fill: #3d444d } .other { fill: #6e7681 }
  }`;

/** The chart as an SVG document. */
export function svgOf({ title, bars, footer }: BarChart): string {
  const height = TITLE_HEIGHT + bars.length * ROW_HEIGHT + GAP + footer.length * FOOTER_LINE_HEIGHT + GAP;
  const most = Math.max(...bars.map(({ value }) => value));
  const description = bars.map(({ name, label }) => `${name}: ${label}`).join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="0" y="22">${escaped(title)}</text>`,
    ...bars.map((bar, row) => rowOf(bar, TITLE_HEIGHT + row * ROW_HEIGHT, bar.value / most)),
    ...footer.map((line, n) => {
      const y = TITLE_HEIGHT + bars.length * ROW_HEIGHT + GAP + (n + 0.7) * FOOTER_LINE_HEIGHT;
      return `<text class="footer" x="0" y="${round(y)}">${escaped(line)}</text>`;
    }),
    '</svg>',
    '',
  ].join('\n');
}

function rowOf({ name, label, tone }: Bar, top: number, part: number): string {
  const width = Math.max(1, part * (WIDTH - NAMES_WIDTH - LABELS_WIDTH));
  const baseline = top + ROW_HEIGHT / 2 + 5;
  const weight = tone === 'ours' ? ' strong' : '';
  return [
    `<text class="name${weight}" x="${NAMES_WIDTH - GAP}" y="${baseline}">${escaped(name)}</text>`,
    `<rect class="${tone}" x="${NAMES_WIDTH}" y="${top + (ROW_HEIGHT - BAR_HEIGHT) / 2}" width="${round(width)}" height="${BAR_HEIGHT}" rx="3"/>`,
    `<text class="label${weight}" x="${round(NAMES_WIDTH + width + GAP)}" y="${baseline}">${escaped(label)}</text>`,
  ].join('\n');
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
