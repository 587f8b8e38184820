"""The domain: records, rules and service functions. No HTTP, no pipelines, no files of other systems."""
