/** The style of a report: readable on a phone, on a desk, in the dark and on paper. */
import { pageColours } from '../../platform/page-colours.ts'

const document = `
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);overflow-wrap:anywhere;
font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{max-width:60rem;margin:0 auto;padding:2rem 1rem}
h1{margin:0;font-size:1.5rem;line-height:1.3;font-weight:650}
h2{margin:2.5rem 0 .75rem;font-size:1.25rem;font-weight:650}
h3{margin:0 0 .75rem;font-size:1rem;line-height:1.4;font-weight:650}
p,ul{margin:0 0 .75rem}
ul{padding-left:1.25rem}
a{color:var(--accent)}
.kind{margin:0 0 .25rem;color:var(--accent);font-weight:600}
.when,.hint,.id,footer,.status{color:var(--soft);font-size:.875rem}
.when{margin:.25rem 0 1rem}
.sum{font-size:1.125rem;font-weight:600}
.hint{margin:.5rem 0 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
footer{margin:2.5rem 0 0;padding:1rem 0 0;border-top:1px solid var(--line)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`

const tables = `
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th,td{padding:.625rem .875rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:break-word}
thead th{border-top:0;color:var(--soft);font-size:.8125rem;font-weight:600}
tbody th{font-weight:600}
.connects,.stumbles,.unknown{white-space:nowrap;font-weight:600}
.connects{color:var(--accent)}
.stumbles{color:var(--danger-ink)}
.unknown{color:var(--soft)}
.facts{background:var(--card);border:1px solid var(--line);border-radius:.75rem;border-collapse:separate;border-spacing:0}
.facts tr:first-child>*{border-top:0}
.facts th{width:12rem;color:var(--soft)}
`

const findings = `
.finding{margin:0 0 1rem;padding:1.25rem;background:var(--card);border:1px solid var(--line);border-left-width:.375rem;border-radius:.75rem}
.fault{border-left-color:var(--danger-line)}
.risk{border-left-color:var(--caution-line)}
.note{border-left-color:var(--edge)}
.badge{display:inline-block;margin:0 .25rem 0 0;padding:0 .5rem;border:1px solid var(--line);border-radius:.375rem;background:var(--wash);font-size:.8125rem}
.fault .badge{background:var(--danger);border-color:var(--danger-line);color:var(--danger-ink)}
.risk .badge{background:var(--caution);border-color:var(--caution-line);color:var(--caution-ink)}
dl{display:grid;grid-template-columns:8.5rem 1fr;gap:.5rem 1rem;margin:0}
dt{color:var(--soft);font-size:.875rem;line-height:1.7}
dd{margin:0;min-width:0}
dd ul{margin:0;padding:0;list-style:none}
.fix{font-weight:600}
details{margin:.75rem 0 0;border:1px solid var(--line);border-radius:.5rem;background:var(--wash)}
summary{min-height:2.75rem;padding:.625rem .75rem;cursor:pointer;border-radius:.5rem}
pre{margin:0;padding:.75rem;border-top:1px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
details>p{margin:0;padding:.75rem;border-top:1px solid var(--line)}
.id{margin:.75rem 0 0}
section>details{margin:0 0 1rem}
section>h3{margin:1rem 0 .375rem}
`

const media = `
@media (max-width:36rem){
.page{padding:1.25rem .75rem}
dl{grid-template-columns:1fr;gap:0}
dd{margin:0 0 .625rem}
.finding{padding:1rem}
.wide thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.wide tr{display:block;padding:.625rem .875rem;border-top:1px solid var(--line)}
.wide tr:first-child{border-top:0}
.wide tbody>tr>*{display:block;padding:.125rem 0;border:0}
.facts th{width:auto}}
@media print{
:root{color-scheme:light}
body{background:#fff;font-size:10pt}
.page{max-width:none;padding:0}
.finding,tr,h2,h3{break-inside:avoid}
h2,h3,summary{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}
pre{font-size:8pt}
a{color:inherit;text-decoration:none}}
`

/** The whole stylesheet. */
export const stylesheet = [pageColours, document, tables, findings, media].join('')
