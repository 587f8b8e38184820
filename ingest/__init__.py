"""Import and export of practice data. May call every package of `practice`; knows no HTTP and no pipelines."""
