/**
 * The one stylesheet of all pages: system fonts, two colour schemes, no images, no imports.
 *
 * Every text colour has a contrast of at least 4.5 on its ground and every control's edge at least 3;
 * everything that can be pressed is at least 44 px high. Its hash is in the Content-Security-Policy.
 */
import { pageColours } from '../../platform/page-colours.ts'

const document = `
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);overflow-wrap:anywhere;
font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{min-height:100vh;min-height:100dvh;max-width:32rem;margin:0 auto;padding:2.5rem 1rem 1.5rem;
display:flex;flex-direction:column}
.site{display:flex;align-items:center;justify-content:center;gap:.625rem;margin:0 0 1.25rem;font-weight:600}
.site-name{min-width:0}
.mark{flex:none;color:var(--accent)}
main{background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:2rem;box-shadow:var(--shadow)}
.colophon{margin:auto 0 0;padding-top:1.5rem;text-align:center;font-size:.875rem;color:var(--soft)}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.3;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
h2,legend{margin:0 0 .5rem;padding:0;font-size:.9375rem;line-height:1.4;font-weight:650}
p{margin:0 0 1rem}
b{font-weight:650}
ul{margin:0;padding:0;list-style:none}
a{color:var(--accent)}
bdi{overflow-wrap:anywhere}
.lead{color:var(--soft);text-wrap:pretty}
.muted,.hint,.fine{color:var(--soft)}
.hint,.fine{font-size:.875rem;margin:.5rem 0 0}
.fine{margin-top:1.25rem}
.centred{text-align:center}
.code,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
.block{margin:1.5rem 0 0;padding:0;border:0;min-width:0}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`

const controls = `
form{margin:0}
.stack>*+*{margin-top:1rem}
.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:3rem;padding:.625rem 1rem;
border:1px solid var(--edge);border-radius:.625rem;background:var(--card);color:var(--ink);
font:inherit;font-weight:600;line-height:1.3;text-align:center;text-decoration:none;cursor:pointer}
.button:hover{background:var(--wash)}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.primary:hover{background:var(--accent-hover);border-color:var(--accent-hover)}
.link{display:inline-flex;align-items:center;min-height:2.75rem;padding:0 .25rem;border:0;border-radius:.375rem;background:none;margin:0 -.25rem;
color:var(--accent);font:inherit;font-size:.9375rem;font-weight:600;cursor:pointer}
.link:hover{text-decoration:underline}
.actions{display:grid;grid-template-columns:1fr 1fr;gap:.75rem;margin:1.5rem 0 0}
.actions+.hint{margin-top:.875rem}
.aside{margin:.75rem 0 -.75rem;text-align:center}
.onward{margin:1.5rem 0}
.field label{display:block;margin:0 0 .375rem;font-weight:600;font-size:.9375rem}
.field input{width:100%;min-height:3rem;padding:.5rem .75rem;border:1px solid var(--edge);border-radius:.625rem;
background:var(--card);color:var(--ink);font:inherit}
.field input:focus-visible{outline-offset:0;border-color:var(--accent)}
.field input[aria-invalid=true]{border-color:var(--danger-ink)}
.alert{padding:.75rem 1rem;border:1px solid var(--danger-line);border-radius:.625rem;background:var(--danger);color:var(--danger-ink);font-weight:500}
.or{display:flex;align-items:center;gap:.75rem;margin:1.25rem 0;color:var(--soft);font-size:.875rem}
.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}
.check{display:flex;gap:.75rem;align-items:flex-start;min-height:2.75rem;padding:.625rem .75rem;cursor:pointer}
.check input{flex:none;width:1.25rem;height:1.25rem;margin:.125rem 0 0;accent-color:var(--accent);cursor:inherit}
.check>span{min-width:0}
@media (prefers-reduced-motion:no-preference){.button{transition:background-color .12s,border-color .12s}}
`

const consent = `
.pair{display:flex;align-items:center;justify-content:center;gap:.75rem;margin:0 0 1.25rem}
.tile{display:grid;place-items:center;flex:none;width:3.5rem;height:3.5rem;border-radius:1rem;border:1px solid var(--line);
background:var(--wash);color:var(--ink);font-size:1.375rem;font-weight:600;line-height:1}
.own{background:var(--accent-wash);border-color:transparent;color:var(--accent)}
.small{width:2.25rem;height:2.25rem;border-radius:50%;font-size:.9375rem}
.dots{width:2.5rem;height:.25rem;background:radial-gradient(circle,var(--edge) .125rem,transparent .1875rem) center/.625rem .25rem}
.pair+h1,.pair+h1+.standing{text-align:center}
.long{font-size:1.125rem}
.where{display:inline-block;max-width:100%;color:var(--accent)}
.standing{margin:0 0 1.25rem;font-size:.875rem;color:var(--soft)}
.warning{margin:1.25rem 0 0;padding:.875rem 1rem;border:1px solid var(--caution-line);border-radius:.75rem;
background:var(--caution);color:var(--caution-ink);font-size:.9375rem}
.warning h2{margin:0 0 .25rem}
.warning li{position:relative;padding-left:1rem}
.warning li::before{content:"";position:absolute;left:.125rem;top:.5625rem;width:.3125rem;height:.3125rem;border-radius:50%;background:currentcolor}
.warning li+li{margin-top:.25rem}
.warning p{margin:.5rem 0 0}
.danger{border-color:var(--danger-line);background:var(--danger);color:var(--danger-ink)}
.host{margin:0;font-size:1.125rem;font-weight:650;line-height:1.35}
.sentence::first-letter{text-transform:uppercase}
.uri{margin:.25rem 0 0;color:var(--soft);line-height:1.5}
.checks{border:1px solid var(--line);border-radius:.75rem}
.checks li+li{border-top:1px solid var(--line)}
.checks .code{display:block}
.new,.badge{padding:.0625rem .375rem;border-radius:.375rem;background:var(--accent-wash);color:var(--accent);font-size:.8125rem;font-weight:600}
.included{display:block;color:var(--soft);font-size:.875rem}
.granted li{position:relative;padding:.25rem 0 .25rem 1.75rem}
.granted li::before{content:"";position:absolute;left:.375rem;top:.5rem;width:.4rem;height:.75rem;
border:solid var(--accent);border-width:0 .15rem .15rem 0;transform:rotate(45deg)}
.account{display:grid;grid-template-columns:auto 1fr;column-gap:.75rem;margin:1.5rem 0 0;padding:.75rem .75rem .25rem;border-radius:.75rem;background:var(--wash)}
.account .tile{margin-top:.25rem}
.account p{min-width:0;margin:0;line-height:1.4}
.account .link{grid-column:2;justify-self:start}
.remember{margin:.75rem 0 0}
.remember .hint{display:block;margin:0}
`

const particulars = `
summary{min-height:2.75rem;padding:.625rem 0;font-weight:600;cursor:pointer;border-radius:.375rem}
.more{margin:1rem 0 -1rem;font-size:.9375rem}
.more summary{color:var(--soft);font-weight:500}
dl{margin:0;font-size:.875rem}
dt{color:var(--soft)}
dd{margin:0 0 .75rem}
.facts{display:grid;grid-template-columns:auto 1fr;gap:.375rem 1rem;margin:1.75rem 0 0;padding:1rem 0 0;border-top:1px solid var(--line)}
.facts dd{margin:0;min-width:0}
.recipe{border-top:1px solid var(--line)}
.block+.block:has(.recipe){margin-top:2.5rem}
.recipe p{margin:0 0 .75rem}
.recipe .hint{margin-bottom:1rem}
.copy{margin:0 0 1rem;padding:.75rem .875rem;border:1px solid var(--line);border-radius:.625rem;background:var(--wash);
white-space:pre-wrap;overflow-wrap:anywhere;-webkit-user-select:all;user-select:all}
.address{font-size:.9375rem}
@media (max-width:30rem){
body{background:var(--card)}
.page{padding:1.25rem 1.25rem 1.5rem}
main{padding:0;border:0;border-radius:0;background:none;box-shadow:none}
h1{font-size:1.375rem}}
@media print{
body{background:#fff}
.button,.link,.pair{display:none}
main{border:0;padding:0;box-shadow:none}}
`

/** The whole stylesheet. */
export const stylesheet = [pageColours, document, controls, consent, particulars].join('')
