// Builds dist/: the files that the edge serves by include_bytes. Same sources and lock file, same bytes.

import { build } from "esbuild";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));

// Packages published without their licence file, and the package of the same repository or author whose file is theirs.
const LICENCE_IS_THAT_OF = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
  "toggle-selection": "copy-to-clipboard",
};

// GraphiQL's style sheet carries 330 KB of fonts as data URLs; the page uses the system's fonts instead.
const withoutFonts = {
  name: "without-fonts",
  setup(bundler) {
    bundler.onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      const css = await readFile(file, "utf8");
      return { contents: css.replace(/@font-face\s*\{[^}]*\}/g, ""), loader: "css" };
    });
  },
};

export async function buildInto(folder) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: HERE,
    entryPoints: { playground: "src/main.jsx" },
    outdir: folder,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
    plugins: [withoutFonts],
  });
  await copyFile(path.join(HERE, "index.html"), path.join(folder, "index.html"));
  await writeFile(path.join(folder, "LICENSES.txt"), await licences(metafile));
}

async function licences(metafile) {
  const folders = new Set(Object.keys(metafile.inputs).map(packageFolder).filter(Boolean));
  const entries = await Promise.all([...folders].map(licenceOf));
  const titlesByText = new Map();
  for (const { title, text } of entries) {
    titlesByText.set(text, (titlesByText.get(text) ?? new Set()).add(title));
  }
  const sections = [...titlesByText].map(([text, titles]) => `${[...titles].sort().join("\n")}\n\n${text}\n`);
  const head = "The playground's bundle contains these packages, each under the licence that follows its name.\n";
  return [head, ...sections.sort()].join(`\n${"-".repeat(100)}\n`);
}

function packageFolder(input) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

async function licenceOf(folder) {
  const manifest = JSON.parse(await readFile(path.join(HERE, folder, "package.json"), "utf8"));
  const owner = LICENCE_IS_THAT_OF[manifest.name];
  const text = (await licenceText(folder)) ?? (owner && (await licenceText(`node_modules/${owner}`)));
  if (!text) {
    throw new Error(`${manifest.name} has no licence file: name in build.mjs the package whose file is its own.`);
  }
  return { title: `${manifest.name} ${manifest.version} (${manifest.license})`, text: text.replaceAll("\r\n", "\n").trim() };
}

async function licenceText(folder) {
  const file = (await readdir(path.join(HERE, folder))).sort().find(name => /^(licen[cs]e|copying)/i.test(name));
  return file && (await readFile(path.join(HERE, folder, file), "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(path.join(HERE, "node_modules"))) {
    throw new Error("Run `npm ci` first.");
  }
  await buildInto(path.join(HERE, "dist"));
}
