import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';
import '@fontsource/roboto-mono/400.css';
import 'uplot/dist/uPlot.min.css';
import { ThemeContext, createTheme } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { type Answer, frames } from './answers';
import { completed, overridden, transformed } from './fields';
import { placed } from './layout';
import { Page, type Prepared, type Shown } from './page';

type Json = Record<string, any>;

async function prepared(data: Json, theme: ReturnType<typeof createTheme>, interpolate: (text: string) => string): Promise<Prepared[]> {
  const panels = placed(data.board.panels, data.isOpened);
  return Promise.all(panels.map(async (panel) => {
    const answers: Answer[] = data.answers[panel.id] ?? [];
    const errors = answers.map((one) => one.error).filter(Boolean);
    const config = completed(panel);
    const found = await transformed(frames(answers), panel.transformations ?? [], interpolate);
    return { panel, errors, config, frames: overridden(found, config, theme, interpolate, data.timeZone) };
  }));
}

/** Draws what the script beside wrote, and says when it is there. */
async function main() {
  const data: Json = await (await fetch(`data/${new URLSearchParams(location.search).get("data")}.json`)).json();
  Date.now = () => data.to; // "5 minutes ago" is counted from the end of the time shown
  const theme = createTheme({ colors: { mode: data.theme } });
  const values: Record<string, string> = data.values;
  const interpolate = (text: string) => (text ?? '').replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (all, one, other) => values[one ?? other] ?? all);
  await Promise.all(['400', '500'].map((weight) => document.fonts.load(`${weight} 12px Inter`)));
  const shown: Shown = { ...(data as Shown), panels: await prepared(data, theme, interpolate), interpolate };
  document.body.style.margin = '0';
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Page shown={shown} width={data.width} />
      <PortalContainer />
    </ThemeContext.Provider>,
  );
  await settled();
}

let asked = 0; // icons are fetched, each on its own
const fetched = window.fetch;
window.fetch = (...what) => {
  asked += 1;
  return fetched(...what).finally(() => { asked -= 1; });
};

/** Once nothing is on its way any more, and what came was drawn. */
async function settled() {
  await document.fonts.ready;
  for (let quiet = 0; quiet < 6; quiet = asked ? 0 : quiet + 1) {
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 20)));
  }
}

declare global {
  interface Window {
    drawn: Promise<void>;
  }
}
window.drawn = main();
