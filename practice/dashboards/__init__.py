"""What the pages of the dashboards show: figures of the warehouse, and what waits for somebody, one function a page."""
