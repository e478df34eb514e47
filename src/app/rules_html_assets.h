// SPDX-License-Identifier: Apache-2.0
//
// The style sheet and the script of the page that rules_html.cc writes. Nothing here depends on the
// rules.
#pragma once

namespace holdfast::app {

inline constexpr char rules_page_style[] = R"css(
:root {
  color-scheme: light dark;
  --paper: #fdfdfc; --ink: #1d2125; --soft: #5c646c; --line: #d9dcdf; --band: #f2f3f4;
  --link: #1b5a97; --mark: #9a4a00; --mark-paper: #fff3e2; --new: #17683a; --gone: #a3262a;
  --target: #fff8c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16191c; --ink: #dfe3e6; --soft: #98a1a9; --line: #343a40; --band: #1e2226;
    --link: #8abff0; --mark: #f2b061; --mark-paper: #38290f; --new: #77cb95; --gone: #f09093;
    --target: #40390f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: calc(var(--bar, 3rem) + 1rem); }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .3rem 0; max-width: 48rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
code, .ids, pre {
  font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .86em;
}
.soft, .none { color: var(--soft); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .3rem; z-index: 9; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: 0; margin: .6rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .5rem 0; padding: 0; }

#bar { background: var(--paper); border-bottom: 1px solid var(--line); }
#bar form {
  max-width: 76rem; margin: 0 auto; padding: .6rem 1rem; display: flex; flex-wrap: wrap;
  gap: .5rem .8rem; align-items: center;
}
#bar label { display: inline-flex; gap: .35rem; align-items: center; }
#bar input[type=search] { flex: 1 1 14rem; min-width: 0; }
#bar input[type=search], #bar select, #bar button {
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line);
  border-radius: 4px; padding: .25rem .5rem; max-width: 100%;
}
#bar output { color: var(--soft); margin-left: auto; }
html:not(.js) #bar { display: none; }
@media (min-width: 45rem) and (min-height: 32rem) { #bar { position: sticky; top: 0; z-index: 5; } }

.box { position: relative; overflow-x: auto; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; }
thead th { background: var(--band); border-bottom: 1px solid var(--line); }
thead .k { display: block; font-weight: normal; }
th[scope=row], thead th:first-child {
  position: sticky; left: 0; z-index: 2; min-width: 9.5rem;
}
th[scope=row] { background: var(--paper); font-weight: 600; overflow-wrap: anywhere; }
tbody.m > tr:first-child > * { border-top: 1px solid var(--line); }
tbody.m:first-of-type > tr:first-child > * { border-top: 0; }
td.c { min-width: 8.6rem; }
.k { color: var(--soft); font-size: .8em; }
.v { border-radius: 3px; }
.ch { padding: 0 .25rem; margin: 0 -.25rem; }
.ch { background: var(--mark-paper); color: var(--mark); font-weight: 600; }
abbr { text-decoration: none; cursor: help; }
.rw .t { text-decoration: underline dotted; text-underline-offset: 3px; }
.tag { font-size: .78em; font-weight: 600; }
.tag.new { color: var(--new); }
.tag.gone { color: var(--gone); }
.tag.proto { color: var(--mark); }
.more > td { padding: 0; }
.more details { position: sticky; left: 0; width: fit-content; max-width: min(74rem, calc(100vw - 2.2rem)); }
.more summary:focus-visible { outline-offset: -2px; }
.more summary { padding: 0 .6rem .3rem; color: var(--soft); font-size: .85em; cursor: pointer; }
.more .in { padding: 0 .6rem .6rem 1.4rem; }
.in a { white-space: nowrap; }
td.c::before { display: none; content: attr(data-r); color: var(--soft); font-size: .8em; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem .8rem; margin: .2rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
:target { background: var(--target); }
td.c:target { box-shadow: inset 3px 0 0 var(--mark); }

.rules { list-style: none; padding: 0; margin: 0; }
.rule { border-top: 1px solid var(--line); padding: .45rem 0; }
.ids { display: flex; flex-wrap: wrap; gap: 0 .9rem; }
.rule .how { color: var(--soft); font-size: .9em; overflow-wrap: anywhere; }
footer { padding: 1.5rem 1rem 3rem; color: var(--soft); }
[hidden] { display: none !important; }


@media (max-width: 45rem) {
  body { font-size: 14px; }
  main, header, footer { padding-left: .7rem; padding-right: .7rem; }
  #bar form { padding: .5rem .7rem; }
  #bar input[type=search] { flex-basis: 100%; }
  th[scope=row], thead th:first-child { min-width: 6.4rem; max-width: 6.4rem; }
  th, td { padding: .3rem .45rem; }
  td.c { min-width: 7.6rem; }
  .more details { max-width: calc(100vw - 1.6rem); }
  dl { grid-template-columns: minmax(0, 1fr); }
  dd { margin-bottom: .3rem; }
}
/* Where the widest table fits, the headings stay in sight; elsewhere each cell names its edition. */
@media (min-width: 72rem) and (min-height: 32rem) {
  .box { overflow: visible; }
  thead th { position: sticky; top: var(--bar, 3rem); z-index: 3; }
  thead th:first-child { z-index: 4; }
}
@media (max-width: 71.99rem), (max-height: 31.99rem) { td.c::before { display: block; } }
@media print { #bar { display: none; } .box { overflow: visible; border: 0; } }
)css";

inline constexpr char rules_page_script[] = R"js(
(() => {
  'use strict';
  const html = document.documentElement;
  const get = id => document.getElementById(id);
  const form = get('filter'), search = get('search'), table = get('table'), edition = get('edition'),
        changed = get('changed'), count = get('count'), nothing = get('nothing');
  const text = e => ((e.dataset.t || '') + ' ' + e.textContent).toLowerCase();
  const items = [...document.querySelectorAll('.m, .rule')].map(e => ({
    e, text: text(e), method: e.classList.contains('m'), table: e.dataset.t,
    has: e.dataset.e.split(' '), differs: e.dataset.c.split(' ').filter(x => x),
  }));
  const sections = [...document.querySelectorAll('main section')];

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(w => w);
    let methods = 0, rules = 0;
    for (const i of items) {
      const shown = (!table.value || i.table === table.value) &&
        (!edition.value || i.has.includes(edition.value)) &&
        (!changed.checked || (edition.value ? i.differs.includes(edition.value) : i.differs.length > 0)) &&
        words.every(w => i.text.includes(w));
      i.e.hidden = !shown;
      if (shown) i.method ? ++methods : ++rules;
    }
    if (edition.value) html.dataset.only = edition.value; else delete html.dataset.only;
    for (const s of sections) {
      for (const part of s.querySelectorAll('.part'))
        part.hidden = !part.querySelector('.m:not([hidden]), .rule:not([hidden])');
      s.hidden = !s.querySelector('.part:not([hidden])');
    }
    nothing.hidden = methods + rules > 0;
    const n = (x, name) => x + ' ' + name + (x === 1 ? '' : 's');
    count.textContent = n(methods, 'method') + ', ' + n(rules, 'sentence');
  }

  // A link may lead to what a filter hides, or into a closed list.
  function go() {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const e = id && get(id);
    if (!e) return;
    const hidden = e.closest('[hidden]') || (e.classList.contains('c') && html.dataset.only &&
      !e.classList.contains('e' + html.dataset.only));
    if (hidden) { form.reset(); apply(); }
    const list = e.closest('details');
    if (list) list.open = true;
    if (e.classList.contains('c')) e.scrollIntoView({ block: 'center', inline: 'center' });
    else e.scrollIntoView({ block: 'start' });
  }

  form.addEventListener('input', apply);
  form.addEventListener('submit', e => e.preventDefault());
  form.addEventListener('reset', () => setTimeout(apply));
  addEventListener('hashchange', go);
  addEventListener('keydown', e => {
    if (e.key === '/' && !e.ctrlKey && !e.metaKey && !e.altKey &&
        !/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
      e.preventDefault();
      search.focus();
    }
  });
  const measure = () => html.style.setProperty('--bar',
    getComputedStyle(get('bar')).position === 'sticky' ? get('bar').offsetHeight + 'px' : '0px');
  addEventListener('resize', measure);
  html.classList.add('js');
  measure();
  apply();
  go();
})();
)js";

}  // namespace holdfast::app
