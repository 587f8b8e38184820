"""Outside data into the practice, and out of it again. May call every room; knows no HTTP and no pipeline."""
