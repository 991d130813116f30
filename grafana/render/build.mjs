/** Bundles the page into dist/, with the icons that Grafana's components ask their server for. */
import { cpSync, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const ICONS = 'node_modules/@grafana/ui/dist/public/img/icons';

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist/public/build/img', { recursive: true });
await build({
  entryPoints: ['src/main.jsx'],
  outfile: 'dist/main.js',
  bundle: true,
  format: 'iife',
  jsx: 'automatic',
  minify: true,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl', '.png': 'dataurl' },
});
copyFileSync('index.html', 'dist/index.html');
cpSync(ICONS, 'dist/public/build/img/icons', { recursive: true });
