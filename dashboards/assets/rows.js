// A table for tens of rows: real HTML, read by screen readers and printers, folded into cards on a phone. A row opens.
const kinds = {
  text: (v) => document.createTextNode(v ?? "–"),
  badge: (v) => badge(v),
  bar: (v) => el("span", { className: "cl-bar" }, el("span", { className: "cl-track", attrs: { "aria-hidden": "true" } }, el("i", { style: `width:${v.share}%`, className: `cl-${v.colour || "teal"}` }), v.target != null ? el("b", { style: `left:${v.target}%` }) : null), el("span", { textContent: v.text })),
  spark: (v) => v ? spark(v) : document.createTextNode("–"),
};
export default function ({ data, parentElement, setTriggerValue }) {
  const root = put(parentElement, "cl-rows", el("div", { className: "cl-rows" }));
  const table = el("table", {}, el("caption", { textContent: data.caption }));
  table.append(el("thead", {}, el("tr", {}, ...data.columns.map((c) => el("th", { scope: "col", className: c.right ? "right" : "", textContent: c.label, title: c.help || "" })))));
  table.append(el("tbody", {}, ...data.rows.map((row) => {
    const tr = el("tr", { className: row.id === data.chosen ? "chosen" : "" });
    data.columns.forEach((c, i) => {
      const value = kinds[c.kind || "text"](row[c.key]);
      if (i === 0) {
        const th = el("th", { scope: "row" });
        th.append(data.opens ? el("button", { type: "button", className: "cl-open", onclick: () => setTriggerValue("opened", row.id), attrs: row.id === data.chosen ? { "aria-current": "true" } : {} }, value) : value, row.below ? el("small", { textContent: row.below }) : "");
        tr.append(th);
      } else tr.append(el("td", { className: c.right ? "right" : "", attrs: { "data-label": c.label } }, value));
    });
    return tr;
  })));
  root.replaceChildren(data.rows.length ? table : el("p", { className: "cl-none", textContent: data.empty || "Nothing here." }));
}
