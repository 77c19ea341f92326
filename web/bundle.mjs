// Bundles the pages' modules, styles and the packages that they use: node bundle.mjs PACKAGES OUT
//
// Every name has a hash of its file's content, so that browsers may keep them for good. `manifest.json` says which files a
// page begins with. What a page may not need, such as the VNC client, is a file of its own that is loaded when it does.
import { createRequire } from 'node:module';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [packages, out] = process.argv.slice(2);
const web = path.dirname(fileURLToPath(import.meta.url));
const esbuild = createRequire(path.join(packages, 'package.json'))('esbuild');

const views = [];
for (const each of await readdir(path.join(web, 'src'), { withFileTypes: true })) {
    if (each.isDirectory() && (await readdir(path.join(web, 'src', each.name))).includes('main.js')) views.push(each.name);
}

const { metafile } = await esbuild.build({
    absWorkingDir: web,
    entryPoints: Object.fromEntries(views.map(view => [view, `src/${view}/main.js`])),
    outdir: out,
    nodePaths: [path.join(packages, 'node_modules')],
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'eof',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    metafile: true,
    logLevel: 'error',
});

const manifest = {};
for (const [file, made] of Object.entries(metafile.outputs)) {
    if (made.entryPoint?.endsWith('/main.js')) {
        const view = path.basename(path.dirname(made.entryPoint));
        manifest[view] = { script: path.basename(file), style: path.basename(made.cssBundle) };
    }
}
await writeFile(path.join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);

// The licences of what was bundled, with where its source is to be had.
const bundled = new Set(Object.keys(metafile.inputs).map(each => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(each)?.[1]));
bundled.delete(undefined);
await mkdir(path.join(out, 'licences'));
const told = [];
for (const name of [...bundled].sort()) {
    const folder = path.join(packages, 'node_modules', name);
    const { version, license, homepage, repository } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    told.push(`${name} ${version}: ${license}; source: ${homepage ?? repository?.url ?? repository}, and the npm package of that version\n`);
    for (const file of await readdir(folder, { recursive: true })) {
        if (!/^(licen[cs]e|authors)/i.test(path.basename(file)) || file.includes('node_modules')) continue;
        await copyFile(path.join(folder, file), path.join(out, 'licences', `${name}/${file}`.replaceAll('/', '_')));
    }
}
await writeFile(path.join(out, 'licences', 'README'), told.join(''));
