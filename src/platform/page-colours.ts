/** The colours of every page and report, for light and dark screens. Each text has a contrast of 4.5 on its ground. */
export const pageColours = `
:root{color-scheme:light dark;
--ground:#f4f3ef;--card:#fff;--ink:#1c2320;--soft:#59625d;--line:#e2e0d9;--edge:#868c87;--wash:#f6f7f5;
--accent:#0d6a5f;--accent-hover:#0a554c;--on-accent:#fff;--accent-wash:#e4f0ed;
--caution:#fdf6e1;--caution-line:#e6cf8f;--caution-ink:#5a4100;
--danger:#fdf0ee;--danger-line:#e6aca4;--danger-ink:#841d10;
--shadow:0 1px 2px rgb(30 35 30/.05),0 8px 28px rgb(30 35 30/.07)}
@media (prefers-color-scheme:dark){:root{
--ground:#121514;--card:#1b1f1e;--ink:#e8ebe8;--soft:#a8b1ac;--line:#303735;--edge:#7b8580;--wash:#232827;
--accent:#74d0c0;--accent-hover:#93e0d2;--on-accent:#06231e;--accent-wash:#1e3531;
--caution:#2a2412;--caution-line:#66561f;--caution-ink:#f1dca0;
--danger:#341b18;--danger-line:#8a4638;--danger-ink:#ffc9bf;
--shadow:none}}
`
