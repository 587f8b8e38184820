// A time grid: columns of days, clinicians or rooms, each a list of blocks. A phone shows the same lists below each other.
export default function ({ data, parentElement, setTriggerValue }) {
  const PIXELS = 1.2, place = (item) => `top:${(item.top - data.first) * PIXELS}px;height:${item.height * PIXELS}px`;
  const old = parentElement.querySelector(".cl-week"), focus = old && old.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const [left, top] = old ? [old.scrollLeft, old.scrollTop] : [0, 0];
  const block = (item) => {
    const words = el("span", {}, el("span", { className: "cl-when" }, item.time), " ", badge(item.state), el("b", {}, item.title), item.below ? el("span", { className: "cl-where" }, item.below) : null);
    const opens = item.id != null, color = item.state ? item.state.colour : "gray";
    return el("li", { style: `${place(item)};left:${100 * item.slot / item.slots}%;width:${100 / item.slots}%`, className: `cl-${item.kind}` },
      el(opens ? "button" : "div", { className: `cl-block cl-${color}${item.height < 40 ? " cl-short" : item.height < 60 ? " cl-middle" : ""}`, title: [item.time, item.title, item.below].join(" "), ...(opens ? { type: "button", onclick: () => setTriggerValue("opened", item.id) } : {}), attrs: opens ? { "data-id": item.id } : {} }, words));
  };
  const columns = data.columns.map((column) => el("section", { className: `cl-day${column.closed ? " cl-closed" : ""}`, attrs: { "aria-label": column.title } },
    el("h3", {}, column.title, column.today ? el("span", { className: "cl-badge cl-green" }, "Today") : null, column.note ? el("small", {}, column.note) : null),
    el("div", { className: "cl-track-of-day", style: `height:${data.hours.length * 60 * PIXELS}px;--hour:${60 * PIXELS}px` },
      ...column.open.map((span) => el("i", { style: place(span), attrs: { "aria-hidden": "true" } })),
      el("ul", {}, ...column.items.map(block)),
      column.items.length ? null : el("p", { className: "cl-none" }, data.none))));
  const axis = el("div", { className: "cl-axis", attrs: { "aria-hidden": "true" } }, ...data.hours.map((hour, i) => el("span", { style: `top:${i * 60 * PIXELS}px` }, hour)));
  const root = put(parentElement, "cl-week", el("div", { className: data.columns.length > 5 ? "cl-week cl-many" : "cl-week", attrs: { role: "group", "aria-label": data.caption } },
    ...(columns.length ? [axis, ...columns] : [el("p", { className: "cl-none" }, data.empty)])));
  root.scrollTo(left, top);
  if (focus) root.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus();
}
