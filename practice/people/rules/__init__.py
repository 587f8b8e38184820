"""Pure rules about people and their records: values in, problems out."""
