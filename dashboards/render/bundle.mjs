// Makes one file of the page and the libraries: node bundle.mjs DIRECTORY
import { build } from 'esbuild';
import { cp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const into = process.argv[2];

await build({
  absWorkingDir: here,
  bundle: true,
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  entryPoints: ['src/main.tsx'],
  format: 'esm',
  jsx: 'automatic',
  legalComments: 'none',
  loader: { '.ttf': 'empty', '.woff': 'dataurl', '.woff2': 'dataurl', '.svg': 'text' },
  logLevel: 'warning',
  minify: true,
  outfile: join(into, 'main.js'),
});
await cp(join(here, 'node_modules/@grafana/ui/dist/public/img/icons'), join(into, 'public/build/img/icons'), { recursive: true });
const links = '<link rel="stylesheet" href="main.css"><div id="root"></div><script type="module" src="main.js"></script>';
await writeFile(join(into, 'index.html'), `<!doctype html><meta charset="utf-8"><title>dashboard</title>${links}\n`);
