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

function start(file) {
  return import(file).then(function (main) {
    return main.runCommandLine(process.argv.slice(2))
  })
}

function isUnbuilt(error) {
  return (
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    /dist[\\/]cli[\\/]main\.js'? imported from/.test(error.message)
  )
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
  start('../dist/cli/main.js')
    .catch(function (error) {
      if (!isUnbuilt(error)) throw error
      return start('../src/cli/main.ts')
    })
    .then(function (exitCode) {
      process.exitCode = exitCode
    })
}
