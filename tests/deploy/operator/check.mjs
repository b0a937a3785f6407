// Checks what Prometheus Operator is given: node check.mjs RESOURCES.json, a list of resources.
// Twice: by the models' own validation (durations, values, what must be there), and by their types, which know every key: a
// misspelt or unknown one is told with its resource.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE = '@kubernetes-models/prometheus-operator';

const resources = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** Routes below the first have no type of their own in the resource: any JSON. */
function* routes(route) {
  for (const one of route?.routes ?? []) {
    yield one;
    yield* routes(one);
  }
}

function versioned(resource) {
  const [group, version] = resource.apiVersion.split('/');
  return `${PACKAGE}/${group}/${version}`;
}

async function refused(resource) {
  const module = versioned(resource);
  const known = await import(module);
  const found = [];
  const check = (what, model, value) => {
    try {
      new model(value).validate();
    } catch (error) {
      found.push(`${what}: ${error.message}`);
    }
  };
  const name = `${resource.kind} ${resource.metadata.name}`;
  if (!known[resource.kind]) {
    return [`${name}: no kind of ${resource.apiVersion}`];
  }
  check(name, known[resource.kind], resource);
  for (const route of routes(resource.kind === 'AlertmanagerConfig' ? resource.spec.route : null)) {
    check(`${name}, a route within`, known.Route, route);
  }
  return found;
}

function source() {
  return resources.map((resource, at) => {
    const module = versioned(resource);
    const lines = [`// ${resource.kind} ${resource.metadata.name}`, `import type { I${resource.kind} as K${at}, ${resource.kind === 'AlertmanagerConfig' ? `IRoute as R${at}` : ''} } from '${module}';`];
    lines.push(`export const x${at}: K${at} = ${JSON.stringify(resource, null, 1)};`);
    if (resource.kind === 'AlertmanagerConfig') {
      [...routes(resource.spec.route)].forEach((route, of) => lines.push(`export const x${at}_${of}: R${at} = ${JSON.stringify({ ...route, routes: undefined }, null, 1)};`));
    }
    return lines.join('\n');
  }).join('\n');
}

function misspelt() {
  const path = join(HERE, 'resources.generated.ts');
  const text = source();
  const options = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, noEmit: true, strict: true, skipLibCheck: true, types: [] };
  const host = ts.createCompilerHost(options);
  const [read, exists] = [host.readFile, host.fileExists];
  host.readFile = (one) => one === path ? text : read(one);
  host.fileExists = (one) => one === path || exists(one);
  host.getSourceFile = (one, version) => {
    const found = host.readFile(one);
    return found === undefined ? undefined : ts.createSourceFile(one, found, version);
  };
  return ts.getPreEmitDiagnostics(ts.createProgram([path], options, host)).map((found) => {
    const before = found.file?.text.slice(0, found.start).split('\n') ?? [];
    const where = before.findLast((line) => line.startsWith('// ')) ?? '// ';
    return `${where.slice(3)}: ${ts.flattenDiagnosticMessageText(found.messageText, '\n  ')}`;
  });
}

const found = [...(await Promise.all(resources.map(refused))).flat(), ...misspelt()];
found.forEach((one) => console.log(one));
console.log(`${resources.length} resources: ${found.length ? `${found.length} problems` : 'as the Operator has them'}`);
process.exitCode = found.length ? 1 : 0;
