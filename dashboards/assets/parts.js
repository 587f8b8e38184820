const el = (tag, props = {}, ...kids) => { const { attrs, ...rest } = props; const e = Object.assign(document.createElement(tag), rest); for (const [k, v] of Object.entries(attrs || {})) e.setAttribute(k, v); e.append(...kids.filter((k) => k != null)); return e; };
const svg = (tag, attrs, ...kids) => { const e = document.createElementNS("http://www.w3.org/2000/svg", tag); for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v); e.append(...kids); return e; };
// A line over time. A missing value leaves its place empty.
function spark(values, { w = 104, h = 26, area = false } = {}) {
  const known = values.filter((v) => v != null), low = Math.min(...known), span = Math.max(...known) - low || 1;
  const points = values.map((v, i) => v == null ? null : [2 + (w - 4) * i / (values.length - 1), 3 + (h - 6) * (1 - (v - low) / span)]).filter(Boolean);
  const line = "M" + points.map((p) => p.map((n) => n.toFixed(1)).join(" ")).join("L"), [first, last] = [points[0], points.at(-1)];
  const drawing = svg("svg", { viewBox: `0 0 ${w} ${h}`, class: area ? "cl-area" : "cl-spark", preserveAspectRatio: area ? "none" : "xMidYMid meet", "aria-hidden": "true", ...(area ? {} : { width: w, height: h }) });
  if (area) drawing.append(svg("path", { d: `${line}L${last[0].toFixed(1)} ${h}L${first[0].toFixed(1)} ${h}Z`, class: "cl-fill" }));
  drawing.append(svg("path", { d: line, fill: "none", class: "cl-line", "vector-effect": "non-scaling-stroke" }));
  if (!area) drawing.append(svg("circle", { cx: last[0], cy: last[1], r: 2.6, class: "cl-dot" }));
  return drawing;
}
const badge = (b) => b && b.word ? el("span", { className: `cl-badge cl-${b.colour}` }, b.word) : null;
function put(parent, name, node) { const old = parent.querySelector("." + name); if (old) old.replaceWith(node); else parent.append(node); return node; }
