"""A plot of bars, compiled once for each theme: a page only puts its rows in."""

from typing import Any

import altair as alt
import streamlit as st

COLORS = {
    "light": {"bar": "#2f8a7c", "muted": "#5a6764", "grid": "#e3dfd4"},
    "dark": {"bar": "#62c2b2", "muted": "#a3b0ac", "grid": "#2c3633"},
}
FONT = "Figtree"


@st.cache_resource(show_spinner=False)
def compile_bars(theme: str) -> dict[str, Any]:
    """Return the plot without its rows, which have a name and a value each."""
    colors = COLORS[theme]
    chart: Any = alt.Chart(alt.Data(name="rows"))
    chart = chart.mark_bar(cornerRadiusEnd=4, color=colors["bar"]).properties(height={"step": 30})
    chart = chart.encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=170)),
        x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=5, format="~s")),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("shown:N", title="Value")],
    )
    axis = {"labelColor": colors["muted"], "gridColor": colors["grid"], "domain": False, "ticks": False}
    return (
        chart.configure(background="transparent")
        .configure_view(stroke=None, fill=None)
        .configure_axis(labelFont=FONT, labelFontSize=12, **axis)
        .to_dict()
    )


def draw_bars(rows: list[dict[str, Any]], alt_text: str) -> None:
    """Draw rows with `name`, `value` and `shown`."""
    spec = compile_bars(st.context.theme.type or "light")
    st.vega_lite_chart({**spec, "datasets": {"rows": rows}}, alt=alt_text, width="stretch")
