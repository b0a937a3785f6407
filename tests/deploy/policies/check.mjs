// Checks a Kyverno policy: node check.mjs POLICY.json
// Twice: by the models' own validation (values, what must be there), and by their types, which know every key.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterPolicy } from '@kubernetes-models/kyverno/kyverno.io/v1';
import ts from 'typescript';

const HERE = dirname(fileURLToPath(import.meta.url));
const policy = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const found = [];

try {
  new ClusterPolicy(policy).validate();
} catch (error) {
  found.push(error.message);
}

const file = join(HERE, 'node_modules', `.policy-${process.pid}.ts`);
writeFileSync(
  file,
  `import type { IClusterPolicy } from '@kubernetes-models/kyverno/kyverno.io/v1';\n` +
    `export const policy: IClusterPolicy = ${JSON.stringify(policy, null, 1)};\n`,
);
try {
  const options = { noEmit: true, skipLibCheck: true, strict: true, module: ts.ModuleKind.NodeNext, types: [] };
  for (const one of ts.getPreEmitDiagnostics(ts.createProgram([file], options))) {
    found.push(ts.flattenDiagnosticMessageText(one.messageText, '\n'));
  }
} finally {
  rmSync(file);
}

process.stdout.write(found.map((words) => `${words}\n`).join(''));
process.exitCode = found.length ? 1 : 0;
