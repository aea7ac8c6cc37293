#!/usr/bin/env node
// Old syntax only, and no import before the check: this file must run on any Node there is.
var floor = [22, 19, 0]
var running = process.versions.node.split('.').map(Number)

function isOlder() {
  for (var i = 0; i < floor.length; i += 1) {
    if (running[i] !== floor[i]) return running[i] < floor[i]
  }
  return false
}

// A checkout runs from its sources, so that an old build never hides an edit; a package has only the build, in
// which the command line is bundled (scripts/bundle-command.ts).
function findMain() {
  var source = new URL('../src/cli/main.ts', import.meta.url)
  var isCheckout = process.getBuiltinModule('node:fs').existsSync(source)
  return isCheckout ? source : new URL('../dist/cli/main.js', import.meta.url)
}

// Compiled code is kept for the next start, beside the code itself: whoever can write there could change the
// code as well. In a shared temporary folder another user of the machine could slip code of theirs in.
// Where the folder cannot be written nothing is kept, and nothing fails.
function keepCompiledCode() {
  var folder = new URL('../node_modules/.cache/compiled', import.meta.url)
  var path = process.getBuiltinModule('node:url').fileURLToPath(folder)
  process.getBuiltinModule('node:module').enableCompileCache(path)
}

function start() {
  keepCompiledCode()
  return import(findMain().href)
    .then(function (main) {
      return main.runCommandLine(process.argv.slice(2))
    })
    .then(function (exitCode) {
      process.exitCode = exitCode
    })
}

if (isOlder()) {
  console.error(
    'Gatehouse needs Node.js ' +
      floor.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '.\n' +
      'Install a current release from https://nodejs.org, or in a checkout use: npm run gatehouse -- <command>',
  )
  process.exitCode = 1
} else {
  void start()
}
