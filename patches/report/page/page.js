"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  document.documentElement.classList.add("scripted");

  const make = (tag, attrs, ...children) => {
    const el = document.createElement(tag);
    for (const name in attrs) el.setAttribute(name, attrs[name]);
    el.append(...children);
    return el;
  };

  // Side by side: a run of removed lines stands beside the run of added ones that follows it.
  const sideBySide = (hunk) => {
    const table = make("table", { class: "diff" });
    table.append(make("caption", {}, hunk.file));
    table.append(make("colgroup", {}, make("col", { class: "no" }), make("col", {}), make("col", { class: "no" }), make("col", {})));
    let oldNo = hunk.old, newNo = hunk.new, removed = [], added = [];
    const cells = (no, text, kind) => text === null
      ? [make("td", { class: "no void" }), make("td", { class: "void" })]
      : [make("td", { class: "no " + kind }, String(no)), make("td", { class: kind }, text)];
    const row = (a, b) => table.append(make("tr", {}, ...a, ...b));
    const flush = () => {
      for (let i = 0; i < Math.max(removed.length, added.length); i++) {
        row(i < removed.length ? cells(oldNo++, removed[i], "del") : cells(0, null),
          i < added.length ? cells(newNo++, added[i], "add") : cells(0, null));
      }
      removed = []; added = [];
    };
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line[0] === "-") { if (added.length) flush(); removed.push(text); }
      else if (line[0] === "+") added.push(text);
      else { flush(); row(cells(oldNo++, text, ""), cells(newNo++, text, "")); }
    }
    flush();
    return table;
  };

  // The details of a finding are laid out when it is first opened.
  const layOut = (el) => {
    if (el.querySelector(".body")) return;
    const f = data.findings[+el.dataset.i];
    const body = make("div", { class: "body" });
    if (f.source) body.append(make("div", { class: "source" }, f.source));
    if (f.blocked) body.append(make("p", { class: "why" }, "Blocked: " + f.blocked));
    if (f.note) body.append(make("p", {}, "Fix: " + f.note));
    if (f.related) {
      body.append(make("h4", {}, "See also"));
      body.append(make("ul", { class: "places" }, ...f.related.map((r) => make("li", {}, r))));
    }
    for (const h of f.hunks || []) body.append(sideBySide(data.hunks[h]));
    if (f.others) body.append(make("p", { class: "hint" }, f.others + " more places change with this fix; ctxmend diff --level review shows all."));
    el.append(body);
  };
  const all = [...document.querySelectorAll("details, .item")];
  const findings = all.filter((el) => el.classList.contains("finding"));
  for (const el of findings) el.addEventListener("toggle", () => { if (el.open) layOut(el); });

  // Filters hold for findings and for the other lists alike.
  const text = new Map(all.map((el) => [el, el.textContent.toLowerCase()]));
  const filter = () => {
    const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rule = $("rule").value, pkg = $("pkg").value, status = $("status").value;
    for (const el of all) {
      const d = el.dataset;
      el.hidden = rule && d.rule !== rule || pkg && d.pkg !== pkg || status && d.status !== status
        || !words.every((w) => text.get(el).includes(w));
    }
    for (const section of document.querySelectorAll(".list")) {
      const items = section.querySelectorAll("details, .item");
      const shown = [...items].filter((el) => !el.hidden).length;
      const count = section.querySelector(".count"), none = section.querySelector(".none");
      count.textContent = shown === items.length ? String(shown) : shown + " of " + count.dataset.total;
      if (none) none.hidden = shown > 0;
    }
    const shown = findings.filter((el) => !el.hidden).length;
    $("shown").textContent = shown === findings.length ? "" : shown + " of " + findings.length + " findings";
    remember();
  };

  // What is chosen stays in the address, so that it survives a reload and can be passed on.
  const fields = ["q", "rule", "pkg", "status"];
  const remember = () => {
    const params = new URLSearchParams();
    for (const id of fields) if ($(id).value) params.set(id, $(id).value);
    try { history.replaceState(null, "", "#" + params); } catch { /* not allowed in some places; only a comfort */ }
  };
  const recall = () => {
    const params = new URLSearchParams(location.hash.slice(1));
    for (const id of fields) if (params.has(id)) $(id).value = params.get(id);
  };
  let waiting = 0;
  $("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
  for (const id of ["rule", "pkg", "status"]) $(id).addEventListener("change", filter);
  $("filters").addEventListener("reset", () => setTimeout(filter));
  $("filters").addEventListener("submit", (e) => { e.preventDefault(); filter(); });
  recall();
  if (fields.some((id) => $(id).value)) filter();

  // Keys, as in pagers.
  const move = (step) => {
    const shown = all.filter((el) => !el.hidden);
    const at = shown.indexOf(document.activeElement.closest("details, .item"));
    const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + step, 0), shown.length - 1)];
    if (next) { (next.querySelector("summary") || next).focus({ preventScroll: true }); next.scrollIntoView({ block: "center" }); }
  };
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape") { $("filters").reset(); unfocus(); document.activeElement.blur(); return; }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    if (e.key === "/") { e.preventDefault(); $("q").focus(); $("q").select(); }
    else if (e.key === "j") move(1);
    else if (e.key === "k") move(-1);
  });

  // On paper nothing can be opened: what is open stays open, and short reports are shown whole.
  addEventListener("beforeprint", () => {
    const shown = findings.filter((el) => !el.hidden);
    if (shown.length <= 60) for (const el of shown) { layOut(el); el.open = true; }
  });

  // The picture: size, and what leads to a row and from it.
  const svg = document.querySelector(".canvas-box .picture");
  let unfocus = () => {};
  if (!svg) return;
  const natural = +svg.getAttribute("width"), ratio = +svg.getAttribute("height") / natural;
  let scale = 1;
  const zoom = (to) => {
    scale = Math.min(Math.max(to, 0.1), 4);
    svg.setAttribute("width", Math.round(natural * scale));
    svg.setAttribute("height", Math.round(natural * ratio * scale));
  };
  const fit = () => zoom(($("canvas").clientWidth - 2) / natural);
  $("zoom-in").addEventListener("click", () => zoom(scale * 1.25));
  $("zoom-out").addEventListener("click", () => zoom(scale / 1.25));
  $("zoom-fit").addEventListener("click", fit);
  if (natural * 0.72 > $("canvas").clientWidth) zoom(0.72); else if (natural > $("canvas").clientWidth) fit();

  const lines = [...svg.querySelectorAll(".lines .line")];
  const follow = (start, from, to) => {
    const seen = new Set(start);
    for (let todo = [...start]; todo.length;) {
      const at = todo.pop();
      for (const line of lines) {
        if (line.dataset[from] !== at) continue;
        line.classList.add("on");
        if (!seen.has(line.dataset[to])) { seen.add(line.dataset[to]); todo.push(line.dataset[to]); }
      }
    }
    return seen;
  };
  unfocus = () => {
    svg.classList.remove("focus");
    for (const el of svg.querySelectorAll(".on, .chosen")) el.classList.remove("on", "chosen");
    $("zoom-clear").hidden = true;
  };
  $("zoom-clear").addEventListener("click", () => unfocus());
  svg.addEventListener("click", (e) => {
    const hit = e.target.closest("[data-id]");
    unfocus();
    if (!hit) return;
    const ids = [hit.dataset.id, ...[...hit.querySelectorAll("[data-id]")].map((el) => el.dataset.id)];
    if (!lines.some((line) => ids.includes(line.dataset.from) || ids.includes(line.dataset.to))) {
      const box = hit.closest(".box"); // its calls are drawn together with those of its package
      if (box.dataset.id) ids.push(box.dataset.id);
    }
    const seen = new Set([...follow(ids, "from", "to"), ...follow(ids, "to", "from")]);
    for (const el of svg.querySelectorAll("[data-id]")) {
      if (!seen.has(el.dataset.id)) continue;
      el.classList.add("on");
      el.closest(".box").classList.add("on");
    }
    hit.classList.add("chosen");
    svg.classList.add("focus");
    $("zoom-clear").hidden = false;
  });
})();
