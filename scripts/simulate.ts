import { runSchedule } from '../test/simulation/run.ts'
const t=performance.now()
const from=Number(process.argv[2]??1), n=Number(process.argv[3]??50)
const rules:Record<string,number[]>={}
let tasks=0
for(let s=from;s<from+n;s++){const r=await runSchedule(s);tasks+=r.tasks;if(r.failure){const k=(r.failure as any).rule??r.failure.message;(rules[k]??=[]).push(s);if(n===1){console.log(r.lines.join('\n'),r.failure)}}}
console.log(rules,tasks,((performance.now()-t)/n).toFixed(1),'ms each')
