"""The example of docs/analysts.md: the share of kept visits by weekday, from a lake, as a picture.

python docs/examples/kept_visits.py lake/ kept-visits.png
"""

import json
import sys
from pathlib import Path

import duckdb
import typst

QUERY = """
    select c.weekday_name, count(*) as visits,
        100.0 * count(*) filter (where a.status = 'COMPLETED') / count(*) as kept_percent
    from appointments as a
    join calendar as c on c.practice = a.practice and c.calendar_on = a.starts_on
    where a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED')
    group by c.weekday, c.weekday_name
    order by c.weekday
"""

CHART = """
#set page(width: 15cm, height: auto, margin: 8mm)
#set text(size: 10pt, font: "Libertinus Serif")
#let rows = json(bytes(sys.inputs.rows))
*Kept visits by weekday*, in percent of completed, missed and cancelled visits
#grid(
  columns: (2.4cm, 1fr, 2.2cm), row-gutter: 3mm, column-gutter: 3mm, align: horizon,
  ..for (weekday, visits, kept) in rows {
    (
      weekday,
      box(width: 100%, height: 5mm, fill: luma(235),
        align(left, rect(width: kept * 1%, height: 5mm, fill: rgb("#2a7f8e"), inset: 0pt,
          align(right + horizon, text(fill: white, size: 8pt)[#calc.round(kept, digits: 1)~])))),
      text(size: 8pt, fill: luma(90))[#visits visits],
    )
  }
)
"""


def draw(lake: Path, picture: Path) -> None:
    """Draw the chart of a lake."""
    with duckdb.connect(lake / "caseload.duckdb", read_only=True, config={"file_search_path": str(lake)}) as catalog:
        rows = [(weekday, visits, float(kept)) for weekday, visits, kept in catalog.execute(QUERY).fetchall()]
    source = CHART.encode()
    picture.write_bytes(typst.compile(source, format="png", ppi=110.0, sys_inputs={"rows": json.dumps(rows)}))


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
