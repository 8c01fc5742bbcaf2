// SPDX-License-Identifier: GPL-2.0-only
// tests/views/html computes the hashes anew: what differs by a byte does not run.
#include "render/html_parts.hpp"

namespace ipcscope::render::html_parts {

const std::string_view kStyle = R"(
:root{color-scheme:light dark;--back:#fff;--fore:#1c2128;--dim:#636c76;--line:#d5dae0;--pane:#f6f8fa;
--error:#c1121f;--warning:#9a6700;--note:#0b63ce;--in:#2b7bd0;--out:#c2640c;--stop:#8a3ffc;--sleep:#9aa4af;--deep:#c1121f;--life:#e4e8ec}
@media(prefers-color-scheme:dark){:root{--back:#101418;--fore:#e4e8ec;--dim:#98a2ad;--line:#343b43;--pane:#181d23;
--error:#ff7b72;--warning:#e3b341;--note:#6cb6ff;--in:#58a6ff;--out:#f0a05a;--stop:#bc8cff;--sleep:#69737d;--deep:#ff7b72;--life:#2a3037}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:16px 24px 48px;background:var(--back);color:var(--fore);font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
h1{font-size:22px;margin:8px 0}h2{font-size:18px;margin:36px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}
h3{font-size:14px;margin:16px 0 4px}p{margin:6px 0}.dim{color:var(--dim)}
.finding{border-left:4px solid var(--note);background:var(--pane);padding:8px 14px;margin:10px 0;overflow-wrap:anywhere}
.finding.error{border-color:var(--error)}.finding.warning{border-color:var(--warning)}
.badge{font-size:12px;font-weight:600;color:var(--note)}.error .badge{color:var(--error)}.warning .badge{color:var(--warning)}
.bad{color:var(--error);font-weight:600}
pre{overflow-x:auto;margin:6px 0;font:12px/1.4 ui-monospace,"DejaVu Sans Mono",monospace}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
td.n,th.n{text-align:right}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid var(--note)}
th[aria-sort=ascending] button::after{content:" \25B2"}th[aria-sort=descending] button::after{content:" \25BC"}
svg{display:block;max-width:100%;height:auto;margin:8px 0}
svg text{fill:var(--fore);font:12px system-ui,"DejaVu Sans",sans-serif}svg text.dim{fill:var(--dim)}
.axis{stroke:var(--line);stroke-width:1}.life{fill:var(--life)}.in{fill:var(--in)}.out{fill:var(--out)}
.stop{fill:var(--stop)}.sleep{fill:var(--sleep)}.deep{fill:var(--deep)}.bar{fill:var(--in)}
.mark{stroke-width:2}.mark.error{stroke:var(--error)}.mark.warning{stroke:var(--warning)}.mark.note{stroke:var(--note)}
.node{fill:var(--pane);stroke:var(--dim)}.edge{fill:none;stroke:var(--out);stroke-opacity:.75}.head{fill:var(--out)}
.key{display:inline-block;margin-right:16px;font-size:13px}.key svg{display:inline;margin:0 6px 0 0}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:8px 24px}
)";

const std::string_view kScript = R"(
"use strict";
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") !== "descending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => {
      const cell = row.cells[column];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    const order = (a, b) => typeof a === "number" ? a - b : a.localeCompare(b);
    const rows = [...table.tBodies[0].rows].sort((a, b) => order(value(a), value(b)) * (down ? -1 : 1));
    table.tBodies[0].append(...rows);
  }));
}
)";

const std::string_view kStyleHash = "sha256-rB6hA0d7HH9D3v/iut8+j/7WoXKmmIPJ7EGfvTmxftA=";
const std::string_view kScriptHash = "sha256-h7WkumFn8D5v5eoMWabsBNQrLhk315556RoGFCeskTI=";

}  // namespace ipcscope::render::html_parts
