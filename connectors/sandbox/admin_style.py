"""The look of the admin pages: one small sheet, light and dark."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #6a7078; --line: #e1e4e8; --page: #f5f6f7;
  --card: #fff; --stripe: #fafbfc; --link: #0b5fb3; --high: #0a7a4b; --medium: #9a6400;
  --low: #6a7078; --new: #6b3fb5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa1aa; --line: #33383e;
  --page: #16181b; --card: #1e2125; --stripe: #22262a; --link: #7ab8ff; --high: #4cc38a;
  --medium: #e0a83e; --low: #9aa1aa; --new: #b698f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, sans-serif; }
header { display: flex; justify-content: space-between; padding: 12px 24px; color: #fff; }
header.magento { background: #41362f; border-bottom: 3px solid #eb5202; }
header.shopify { background: #1a1a1a; border-bottom: 3px solid #5e8e3e; }
main { padding: 16px 24px 40px; max-width: 1680px; margin: auto; }
h1 { font-size: 22px; margin: 8px 0 12px; } h2 { font-size: 15px; margin: 24px 0 8px; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.muted { color: var(--soft); font-weight: 400; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; background: var(--card); }
th, td { text-align: left; padding: 8px 9px; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { position: sticky; top: 0; background: var(--card);
  font-size: 12px; }
thead a { color: inherit; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody tr:last-child td { border-bottom: 0; }
.number, .money, .percent { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.date { white-space: nowrap; }
td.small { font-size: 12.5px; color: var(--soft); max-width: 420px; }
td.small:last-child { min-width: 230px; } td.tags { max-width: 210px; }
.chip { display: inline-block; padding: 1px 9px; margin: 0 5px 3px 0; border-radius: 10px;
  font-size: 12px; border: 1px solid currentColor; color: var(--soft); white-space: nowrap; }
.chip.high { color: var(--high); } .chip.medium { color: var(--medium); }
.chip.low { color: var(--low); } .chip.new { color: var(--new); }
.chip.here { background: var(--line); } .chip.tag { border-color: var(--line); color: var(--ink); }
table.pairs { width: auto; border: 1px solid var(--line); }
.pager { text-align: center; }
"""
