// Fails when the script of the first load is too large for a slow machine.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 150_000;
const dist = new URL("../dist/", import.meta.url);

const page = readFileSync(new URL("index.html", dist), "utf8");
const first = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path);
const size = first.reduce((sum, path) => sum + gzipSync(readFileSync(new URL(path, dist))).length, 0);

console.log(`script at first load: ${(size / 1000).toFixed(1)} kB gzipped, of ${BUDGET / 1000} kB`);
if (first.length === 0 || size > BUDGET) process.exit(1);
