import { fork } from 'node:child_process'
import { Pool } from 'undici'
import { once } from 'node:events'
import { createClient } from '/work/main/bench/client.ts'
import { startServer } from '/work/main/bench/server-process.ts'
import { mkdtempSync } from 'node:fs'
const [what, mode='memory'] = process.argv.slice(2)
const backend = await startServer({kind:'bare',answers:[{status:200,type:'application/json',bytes:600}]})
const child = fork('/work/main/bench/servers/process.ts', [], {execArgv:['--cpu-prof','--cpu-prof-dir=/tmp/prof','--cpu-prof-interval=200', `--cpu-prof-name=${what}.cpuprofile`], stdio:['ignore','ignore','inherit','ipc'], env: {...process.env}})
const spec:any = mode==='oidc' ? {kind:'oidc-provider',pageBytes:1000} : {kind:'gatehouse', backend: backend.origin+'/0', ...(mode==='disk' && {folder: mkdtempSync('/tmp/profdata-')})}
child.send({command:'start', spec})
const [{started}] = await once(child,'message') as any
const pool = new Pool(started.origin,{connections:16})
const send = async ({method,path,headers,body}:any) => { const a = await pool.request({method,path,headers,body:body??null}); const h=a.headers; return {status:a.statusCode,type:h['content-type'] as string,location:h.location as string,cookies:[h['set-cookie']??[]].flat() as string[],body:await a.body.text()} }
const c = createClient(send, started.origin)
const lanes = await Promise.all(Array.from({length:16}, async (_,i) => { const id = await c.register(); const r = await c.authorize(id, new Map(started.sessions[i]?[started.sessions[i].split('=')]:[])); return {id, ...r} }))
const ops:any = {
 refresh: async (l:any)=>{ l.tokens = await c.refresh(l.tokens) },
 authorize: async (l:any)=>{ l.jar = (await c.authorize(l.id,l.jar)).jar },
 register: ()=>c.register(),
 proxy: async (l:any)=>{ const r = await send({method:'POST',path:'/mcp',headers:{authorization:`Bearer ${l.tokens.accessToken}`,'content-type':'application/json',accept:'application/json, text/event-stream'},body:'x'.repeat(200)}); if(r.status!==200) throw new Error(r.body)},
}
const N = {refresh:300, authorize:100, register:400, proxy:1500}[what]!
const t=Date.now()
const cpu = async()=>{child.send({command:'cpu'}); const [m]=await once(child,'message') as any; return m.microseconds}
const c0=await cpu()
await Promise.all(lanes.map(async l=>{for(let i=0;i<N;i++) await ops[what](l)}))
console.log(what, mode, ((await cpu())-c0)/(N*16), 'us/op', Date.now()-t,'ms')
child.disconnect(); await once(child,'exit'); await pool.destroy(); await backend.stop(); process.exit(0)
