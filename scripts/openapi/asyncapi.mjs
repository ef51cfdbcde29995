// Holds a document against the AsyncAPI parser. Usage: node asyncapi.mjs FOLDER_OF_THE_PARSER DOCUMENT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [folder, path] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/`)('@asyncapi/parser');
const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'));
// A newer version of AsyncAPI that we do not use is no fault.
const faults = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
for (const { code, message, path } of faults) console.error(`${path.join('.')}: ${message} (${code})`);
process.exit(document && faults.length === 0 ? 0 : 1);
