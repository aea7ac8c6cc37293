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

// A checkout runs from its sources, so that an old build never hides an edit; a package has only the build.
function findMain(fs) {
  var source = new URL('../src/cli/main.ts', import.meta.url)
  return fs.existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
}

function start() {
  return import('node:fs')
    .then(function (fs) {
      return import(findMain(fs).href)
    })
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
